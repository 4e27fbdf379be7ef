// The node's counters by the names it gives them, read as the pages need them. Pure.

import type { Series } from './rates.ts'
import type { Flow, Stream } from './topology.ts'

export function actionOks(series: Series, rule: string): number {
  return series.rate('iot_rule_action_total', { rule, result: 'success' })
}

export function actionErrors(series: Series, rule: string): { rate: number; total: number } {
  const failed = { rule, result: 'failure' }
  return { rate: series.rate('iot_rule_action_total', failed), total: series.value('iot_rule_action_total', failed) }
}

export interface FirehoseMeter {
  inRate: number
  buffered: number
  bufferedBytes: number
  oldestMs: number
  /** 0 to 1: how near a delivery is, by size and by time. */
  bytesShare: number
  ageShare: number
  /** A delivery failed within the last minute and is tried again. */
  failing: boolean
}

export function firehose(series: Series, stream: Stream): FirehoseMeter {
  const labels = { stream: stream.name }
  const buffered = series.value('firehose_buffered_records', labels)
  const bufferedBytes = series.value('firehose_buffered_bytes', labels)
  const oldestMs = buffered > 0 ? series.value('firehose_oldest_age_ms', labels) : 0
  const share = (part: number, whole: number) => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0)
  return {
    inRate: series.rate('firehose_incoming_records_total', labels),
    buffered,
    bufferedBytes,
    oldestMs,
    bytesShare: share(bufferedBytes, stream.sizeMiB * 1_048_576),
    ageShare: share(oldestMs, stream.intervalS * 1000),
    failing: series.rise('firehose_failed_attempts_total', labels, 60_000) > 0,
  }
}

/** Deliveries come in bursts: one is shown as flowing for this long after it was seen. */
const BURST_MS = 4000

/** Events per second along an edge. */
export function flowRate(series: Series, flow: Flow): number {
  const over = (streams: string[], rate: (stream: string) => number) => streams.reduce((sum, stream) => sum + rate(stream), 0)
  switch (flow.kind) {
    case 'matched':
      return series.rate('iot_topic_match_total', { rule: flow.rule })
    case 'action':
      return series.rate('iot_rule_action_total', { rule: flow.rule, action: flow.action, result: 'success' })
    case 'delivered':
      return (series.rise('firehose_delivered_records_total', { stream: flow.stream }, BURST_MS) * 1000) / BURST_MS
    case 'stored':
      return over(flow.streams, (stream) => (series.rise('firehose_delivered_records_total', { stream }, BURST_MS) * 1000) / BURST_MS)
    case 'hot':
      return series.rate('firehose_incoming_records_total', { stream: flow.stream })
    case 'read':
      return over(flow.streams, (stream) => series.rate('firehose_incoming_records_total', { stream }))
  }
}
