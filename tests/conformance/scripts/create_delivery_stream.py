"""Creates the delivery stream that gathers heart-beats into a bucket."""

import boto3

firehose = boto3.client("firehose")
response = firehose.create_delivery_stream(
    DeliveryStreamName="iot_boto3",
    S3DestinationConfiguration={
        "RoleARN": "arn:aws:iam::1234567890:role/firehose_delivery_role",
        "BucketARN": "arn:aws:s3:::pydata.iot.pipeline",
        "Prefix": "heartrate_data/",
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
    },
)
print(response)
