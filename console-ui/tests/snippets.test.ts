import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { boto3, cli, shell, words, type Call } from '../src/lib/snippets.ts'
import { pipelineBoto3, pipelineCli } from '../src/lib/first-steps.ts'

const here = { endpoint: 'http://127.0.0.1:4566', region: 'eu-west-1' }
const aws = { endpoint: null, region: 'eu-west-1' }

test('names become words as botocore writes them', () => {
  for (const [name, snake] of [
    ['ListTopicRules', 'list_topic_rules'],
    ['GetTopicRule', 'get_topic_rule'],
    ['DescribeDeliveryStream', 'describe_delivery_stream'],
    ['QueryExecutionId', 'query_execution_id'],
    ['ruleName', 'rule_name'],
    ['SizeInMBs', 'size_in_mbs'],
    ['ListHITs', 'list_hits'],
    ['S3Bucket', 's3_bucket'],
    ['DBInstance', 'db_instance'],
  ]) {
    assert.equal(words(name!, '_'), snake)
    assert.equal(words(name!, '-'), snake!.replaceAll('_', '-'))
  }
})

const call: Call = {
  service: 'athena',
  operation: 'StartQueryExecution',
  params: { QueryString: "SELECT 'a'\nFROM t", QueryExecutionContext: { Database: 'default' }, MaxResults: 5 },
}

test('boto3 text', () => {
  assert.equal(
    boto3(call, here),
    `import boto3

athena = boto3.client('athena', region_name='eu-west-1', endpoint_url='http://127.0.0.1:4566')
answer = athena.start_query_execution(
    QueryString="""SELECT 'a'
FROM t""",
    QueryExecutionContext={'Database': 'default'},
    MaxResults=5,
)
`,
  )
  assert.ok(!boto3(call, aws).includes('endpoint_url'))
})

test('CLI text', () => {
  assert.equal(
    cli({ service: 'glue', operation: 'GetTables', params: { DatabaseName: 'my db', Flag: true, Other: false, Ids: ['a', 'b'] } }, aws),
    `aws glue get-tables \\
    --database-name 'my db' \\
    --flag \\
    --no-other \\
    --ids a b \\
    --region eu-west-1
`,
  )
})

// Names and SQL in snippets come from devices and other people: what is pasted must be one word, whatever it holds.
const HOSTILE = ["'; rm -rf / #", '$(touch x)', '`id`', 'a\\', "it's \\'", 'a\u202eb', 'tab\there', 'nl\nhere', '"""', '\\u0041', '\u0007bell']

test('a shell reads back exactly what was quoted', () => {
  for (const text of HOSTILE) {
    const read = execFileSync('bash', ['-c', `printf %s ${shell(text)}`], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    assert.equal(read, text)
  }
})

test('Python reads back exactly what was quoted', (t) => {
  try {
    execFileSync('python3', ['-c', ''])
  } catch {
    return t.skip('there is no python3 here')
  }
  for (const text of [...HOSTILE, '"""\nx', 'ends with "\n"']) {
    const source = boto3({ service: 's', operation: 'Op', params: { P: text, Q: { R: [text], S: 1 } } }, aws)
    const expression = source.slice(source.indexOf('(', source.indexOf('s.op')))
    const program = `import json,sys\nprint(json.dumps(dict${expression}))`
    const read = JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' })) as { P: string; Q: { R: string[] } }
    assert.equal(read.P, text)
    assert.equal(read.Q.R[0], text)
  }
})

test('the first steps are Python, and words of a shell', (t) => {
  for (const region of ['us-east-1', 'ap-southeast-1']) {
    execFileSync('bash', ['-n', '-c', pipelineCli({ ...here, region })])
    assert.equal(pipelineBoto3({ ...here, region }).includes('LocationConstraint'), region !== 'us-east-1')
    try {
      execFileSync('python3', ['-c', ''])
    } catch {
      return t.skip('there is no python3 here')
    }
    execFileSync('python3', ['-c', 'import ast,sys; ast.parse(sys.argv[1])', pipelineBoto3({ ...here, region })])
  }
})
