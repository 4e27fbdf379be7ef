import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dots, Series, SNAPSHOTS_MAX, thickness, type Metrics } from '../src/lib/rates.ts'
import { actionErrors, actionOks, firehose, flowRate } from '../src/lib/meters.ts'

function counter(at: number, value: number, name = 'n', labels: Record<string, string> = {}): Metrics {
  return { at, counters: [{ name, labels, value }], gauges: [] }
}

function fed(...answers: Metrics[]): Series {
  return answers.reduce((series, answer) => series.with(answer), new Series())
}

test('a rate is a difference over the node’s own clock', () => {
  const series = fed(counter(1000, 10), counter(2000, 20), counter(4000, 60))
  assert.equal(series.rate('n', {}, 2000), 20)
  assert.equal(series.rate('n', {}, 3000), 50 / 3)
})

test('one answer has a value and no rate', () => {
  const series = fed(counter(1000, 10))
  assert.equal(series.value('n'), 10)
  assert.equal(series.rate('n'), 0)
  assert.equal(new Series().rate('n'), 0)
})

test('a restart of the node is no negative rate', () => {
  const series = fed(counter(1000, 500), counter(2000, 510), counter(3000, 4), counter(4000, 9))
  assert.equal(series.rate('n'), 5)
  assert.deepEqual(series.rates('n'), [{ at: 2000, value: 10 }, { at: 4000, value: 5 }])
  assert.equal(series.rise('n', {}, 10_000), 15)
})

test('a series that appears later began at nothing', () => {
  const series = fed({ at: 1000, counters: [], gauges: [] }, counter(2000, 3))
  assert.equal(series.rate('n'), 3)
})

test('labels select, and what is not named is summed', () => {
  const at = (ms: number, a: number, b: number): Metrics => ({
    at: ms,
    counters: [
      { name: 'n', labels: { stream: 'a', kind: 'x' }, value: a },
      { name: 'n', labels: { stream: 'b', kind: 'x' }, value: b },
    ],
    gauges: [],
  })
  const series = fed(at(0, 0, 0), at(1000, 5, 7))
  assert.equal(series.rate('n', { stream: 'a' }), 5)
  assert.equal(series.rate('n', { kind: 'x' }), 12)
  assert.equal(series.rate('n', { stream: 'c' }), 0)
})

test('an answer that is late is ignored, a clock set back begins anew', () => {
  const series = fed(counter(100_000, 1), counter(101_000, 5))
  assert.equal(series.with(counter(100_500, 2)), series)
  const anew = series.with(counter(1000, 9))
  assert.equal(anew.at, 1000)
  assert.equal(anew.rate('n'), 0)
})

test('history is bounded', () => {
  let series = new Series()
  for (let i = 0; i < SNAPSHOTS_MAX + 50; i += 1) series = series.with(counter(i * 1000, i))
  assert.equal(series.rates('n', {}, Infinity).length, SNAPSHOTS_MAX - 1)
})

test('the last rise is found', () => {
  const series = fed(counter(1000, 1), counter(2000, 2), counter(3000, 2))
  assert.equal(series.lastRise('n', {}), 2000)
  assert.equal(series.lastRise('other', {}), null)
})

test('dots and thickness grow with the rate and stay calm', () => {
  assert.equal(dots(0), 0)
  assert.equal(dots(0.2), 1)
  assert.ok(dots(10) > dots(1))
  assert.equal(dots(1e9), 9)
  assert.equal(thickness(0), 1.5)
  assert.ok(thickness(1e9) <= 4.5)
})

test('what is not done is an error of an action', () => {
  const at = (ms: number, ok: number, failed: number): Metrics => ({
    at: ms,
    counters: [
      { name: 'iot_rule_action_total', labels: { rule: 'r', action: 'firehose', result: 'success' }, value: ok },
      { name: 'iot_rule_action_total', labels: { rule: 'r', action: 'firehose', result: 'failure' }, value: failed },
    ],
    gauges: [],
  })
  const series = fed(at(0, 0, 0), at(1000, 8, 2))
  assert.equal(actionOks(series, 'r'), 8)
  assert.deepEqual(actionErrors(series, 'r'), { rate: 2, total: 2 })
  assert.equal(flowRate(series, { kind: 'action', rule: 'r', action: 'firehose' }), 8)
})

test('the buffer’s bars are shares of the hints and never over one', () => {
  const series = new Series().with({
    at: 0,
    counters: [],
    gauges: [
      { name: 'firehose_buffered_records', labels: { stream: 's' }, value: 10 },
      { name: 'firehose_buffered_bytes', labels: { stream: 's' }, value: 524_288 },
      { name: 'firehose_oldest_age_ms', labels: { stream: 's' }, value: 90_000 },
    ],
  })
  const meter = firehose(series, { name: 's', status: 'ACTIVE', bucket: 'b', prefix: '', sizeMiB: 1, intervalS: 60, compression: 'UNCOMPRESSED' })
  assert.equal(meter.bytesShare, 0.5)
  assert.equal(meter.ageShare, 1)
})
