// The smallest whole pipeline, as text to paste: bucket, delivery stream, topic rule, table. Pure.

import { HEART_RATE_TABLE } from './heart.ts'
import type { Target } from './snippets.ts'

// The table's location is s3://heartbeats/heartrate_data/.
const BUCKET = 'heartbeats'
const STREAM = 'heartbeats'
const PREFIX = 'heartrate_data/'
const ROLE = 'arn:aws:iam::000000000000:role/pipeline'
const RULE_SQL = "SELECT * FROM '/health/#'"

export function pipelineBoto3(target: Target): string {
  return `import boto3

s3 = boto3.client('s3')
firehose = boto3.client('firehose')
iot = boto3.client('iot')
athena = boto3.client('athena')

s3.create_bucket(Bucket='${BUCKET}'${location(target.region, (region) => `, CreateBucketConfiguration={'LocationConstraint': '${region}'}`)})
firehose.create_delivery_stream(
    DeliveryStreamName='${STREAM}',
    S3DestinationConfiguration={
        'RoleARN': '${ROLE}',
        'BucketARN': 'arn:aws:s3:::${BUCKET}',
        'Prefix': '${PREFIX}',
        'BufferingHints': {'SizeInMBs': 1, 'IntervalInSeconds': 60},
    },
)
iot.create_topic_rule(
    ruleName='heartbeats',
    topicRulePayload={
        'sql': "${RULE_SQL}",
        'actions': [{'firehose': {
            'roleArn': '${ROLE}',
            'deliveryStreamName': '${STREAM}',
            'separator': '\\n',
        }}],
    },
)
athena.start_query_execution(QueryString="""${HEART_RATE_TABLE}""")
`
}

export function pipelineCli(target: Target): string {
  const rule = JSON.stringify({
    sql: RULE_SQL,
    actions: [{ firehose: { roleArn: ROLE, deliveryStreamName: STREAM, separator: '\n' } }],
  }).replaceAll("'", "'\\''")
  return `aws s3api create-bucket --bucket ${BUCKET}${location(target.region, (region) => ` \\
    --create-bucket-configuration LocationConstraint=${region}`)}
aws firehose create-delivery-stream --delivery-stream-name ${STREAM} \\
    --s3-destination-configuration 'RoleARN=${ROLE},BucketARN=arn:aws:s3:::${BUCKET},Prefix=${PREFIX},BufferingHints={SizeInMBs=1,IntervalInSeconds=60}'
aws iot create-topic-rule --rule-name heartbeats \\
    --topic-rule-payload '${rule}'
aws athena start-query-execution --query-string "${HEART_RATE_TABLE.replaceAll('"', '\\"')}"
`
}

/** us-east-1 is the one region that must not be named as a location. */
function location(region: string, text: (region: string) => string): string {
  return region === 'us-east-1' ? '' : text(region)
}
