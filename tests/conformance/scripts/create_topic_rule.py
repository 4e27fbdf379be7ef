"""Creates the topic rule that sends heart-beats to a delivery stream."""

import boto3

iot = boto3.client("iot")
response = iot.create_topic_rule(
    ruleName="IoT_boto3",
    topicRulePayload={
        "sql": 'select * from "/health/#"',
        "description": "IoT rule created by boto3",
        "actions": [
            {
                "firehose": {
                    "roleArn": "arn:aws:iam::1234567890:role/service-role/iot.firehose",
                    "deliveryStreamName": "iot.kinesis",
                    "separator": "\n",
                }
            }
        ],
        "ruleDisabled": True,
        "awsIotSqlVersion": "2016-03-23",
    },
)
print(response)
