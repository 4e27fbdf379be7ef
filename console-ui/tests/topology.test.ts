import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLocation, tableOf } from '../src/lib/catalog.ts'
import { arch, curve, layout, streamOf, topology, type Facts } from '../src/lib/topology.ts'

const stream = streamOf({
  DeliveryStreamName: 's',
  DeliveryStreamStatus: 'ACTIVE',
  Destinations: [
    { ExtendedS3DestinationDescription: { BucketARN: 'arn:aws:s3:::lake.bucket', Prefix: 'heart/!{timestamp:yyyy}/', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 } } },
  ],
})
const columns = ['heartrate', 'userid', 'datetime'].map((Name) => ({ Name, Type: 'string' }))
const table = (name: string, location: string) => tableOf({ Name: name, StorageDescriptor: { Location: location, Columns: columns } }, 'default')
const rule = (ruleName: string, ...actions: Record<string, Record<string, unknown>>[]) => ({ ruleName, sql: '', ruleDisabled: false, actions })

const facts: Facts = {
  rules: [rule('r', { firehose: { deliveryStreamName: 's' } }, { republish: { topic: 't' } }), rule('lost', { firehose: { deliveryStreamName: 'nowhere' } }), rule('direct', { s3: { bucketName: 'other' } })],
  streams: [stream],
  tables: [table('whole', 's3://lake.bucket/heart/'), table('elsewhere', 's3://unknown/x/'), table('beside', 's3://lake.bucket/cold/')],
}

test('every hop is an edge, from left to right', () => {
  const { edges, empty } = topology(facts)
  assert.equal(empty, false)
  assert.deepEqual(
    edges.map((edge) => edge.id).sort(),
    [
      'bucket/lake.bucket → table/default.beside',
      'bucket/lake.bucket → table/default.whole',
      'devices → rule/direct',
      'devices → rule/lost',
      'devices → rule/r',
      'rule/direct → bucket/other',
      'rule/lost → stream/nowhere',
      'rule/r → stream/s',
      'stream/s → bucket/lake.bucket',
      'stream/s → table/default.whole',
      'table/default.beside → dashboard/default.beside',
      'table/default.whole → dashboard/default.whole',
    ],
  )
})

test('what does not exist is a problem and a ghost', () => {
  const { nodes, problems } = topology(facts)
  assert.equal(problems.length, 1)
  assert.match(problems[0]!.text, /nowhere/)
  assert.ok(nodes.some((node) => node.column === 'stream' && node.title === 'nowhere' && node.stream === null))
  assert.ok(!nodes.some((node) => node.title.includes('elsewhere')))
})

test('a problem is said once, also when two actions have it', () => {
  const action = { firehose: { deliveryStreamName: 'nowhere' } }
  const { nodes, problems } = topology({ rules: [rule('r', action, action)], streams: [], tables: [] })
  assert.equal(problems.length, 1)
  assert.equal(nodes.filter((node) => node.title === 'nowhere').length, 1)
})

test('nothing is empty', () => {
  const { nodes, edges, empty } = topology({ rules: [], streams: [], tables: [] })
  assert.equal(empty, true)
  assert.equal(nodes.length, 1)
  assert.equal(edges.length, 0)
})

test('no two nodes of the picture overlap, and edges have numbers only', () => {
  const { nodes, edges } = topology(facts)
  const { boxes, width, height } = layout(nodes, () => 100, 1000)
  assert.equal(boxes.size, nodes.length)
  const all = [...boxes.values()]
  for (const [i, a] of all.entries()) {
    assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height)
    for (const b of all.slice(i + 1)) {
      assert.ok(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y)
    }
  }
  for (const edge of edges) {
    const from = boxes.get(edge.from)!
    const to = boxes.get(edge.to)!
    assert.match(curve(from, to), /^M[-\d. ]+C[-\d. ]+$/)
    assert.match(arch(from, to, all), /^M[-\d. ]+C[-\d. ]+$/)
  }
})

test('locations', () => {
  assert.deepEqual(parseLocation('s3://b.c/d/e/'), { bucket: 'b.c', prefix: 'd/e/' })
  assert.deepEqual(parseLocation('s3a://b'), { bucket: 'b', prefix: '' })
  assert.equal(parseLocation('hdfs://x/y'), null)
})
