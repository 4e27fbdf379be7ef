// The smallest whole pipeline, as text to paste: bucket, role, delivery stream, topic rule, table. Pure.

import { HEART_RATE_TABLE } from './heart.ts'
import type { Target } from './snippets.ts'

// The table's location is s3://heartbeats/heartrate_data/.
const BUCKET = 'heartbeats'
const STREAM = 'heartbeats'
const PREFIX = 'heartrate_data/'
const ROLE = 'pipeline'
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: ['iot.amazonaws.com', 'firehose.amazonaws.com'] },
      Action: 'sts:AssumeRole',
    },
  ],
})
const RIGHTS = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'firehose:PutRecord', Resource: `arn:aws:firehose:*:*:deliverystream/${STREAM}` },
    { Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/*` },
  ],
})
const RULE_SQL = "SELECT * FROM '/health/#'"

export function pipelineBoto3(target: Target): string {
  return `import boto3

s3 = boto3.client('s3')
firehose = boto3.client('firehose')
iot = boto3.client('iot')
iam = boto3.client('iam')
athena = boto3.client('athena')

s3.create_bucket(Bucket='${BUCKET}'${location(target.region, (region) => `, CreateBucketConfiguration={'LocationConstraint': '${region}'}`)})
role = iam.create_role(RoleName='${ROLE}', AssumeRolePolicyDocument='${TRUST}')['Role']['Arn']
iam.put_role_policy(RoleName='${ROLE}', PolicyName='${ROLE}', PolicyDocument='${RIGHTS}')
firehose.create_delivery_stream(
    DeliveryStreamName='${STREAM}',
    S3DestinationConfiguration={
        'RoleARN': role,
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
            'roleArn': role,
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
    actions: [{ firehose: { roleArn: 'ROLE', deliveryStreamName: STREAM, separator: '\n' } }],
  })
    .replaceAll("'", "'\\''")
    // The shell fills it in: the quotation ends before it and begins again after it.
    .replace('"ROLE"', () => `"'"$ROLE"'"`)
  return `aws s3api create-bucket --bucket ${BUCKET}${location(target.region, (region) => ` \\
    --create-bucket-configuration LocationConstraint=${region}`)}
ROLE=$(aws iam create-role --role-name ${ROLE} --query Role.Arn --output text \\
    --assume-role-policy-document '${TRUST}')
aws iam put-role-policy --role-name ${ROLE} --policy-name ${ROLE} \\
    --policy-document '${RIGHTS}'
aws firehose create-delivery-stream --delivery-stream-name ${STREAM} \\
    --s3-destination-configuration "RoleARN=$ROLE,BucketARN=arn:aws:s3:::${BUCKET},Prefix=${PREFIX},BufferingHints={SizeInMBs=1,IntervalInSeconds=60}"
aws iot create-topic-rule --rule-name heartbeats \\
    --topic-rule-payload '${rule}'
aws athena start-query-execution --query-string "${HEART_RATE_TABLE.replaceAll('"', '\\"')}"
`
}

/** us-east-1 is the one region that must not be named as a location. */
function location(region: string, text: (region: string) => string): string {
  return region === 'us-east-1' ? '' : text(region)
}
