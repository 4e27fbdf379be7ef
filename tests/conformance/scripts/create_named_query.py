"""Saves the statement that makes a table of the bucket's heart-beats."""

import boto3

athena = boto3.client("athena")
response = athena.create_named_query(
    Name="create_heartrate_table",
    Description="table of heart-beats",
    Database="default",
    QueryString="""
    CREATE EXTERNAL TABLE heartrate_iot_data (
        heartRate int,
        userId string,
        rateType string,
        dateTime timestamp)
    ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
    WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
    LOCATION 's3://pydata.iot.pipeline/heartrate_data/'
    """,
)
print(response)
