// The picture of the home page: what the public operations describe, as nodes in columns and edges between them. Pure.
//
// 1. Every node and edge comes from an answer of a public operation; nothing is guessed.
// 2. Edges go from left to right. A republish stays on its rule's card: it returns to the devices' side.
// 3. A table over a delivery stream's prefix also sees the records still buffered: the `hot` edge says so.
// 4. A name that is referred to but does not exist is a problem and a ghost node, never silently left out.

import { parseLocation, type Table } from './catalog.ts'
import { isHeartRateTable } from './heart.ts'

export type Column = 'devices' | 'rule' | 'stream' | 'bucket' | 'table' | 'dashboard'

export const COLUMNS: Column[] = ['devices', 'rule', 'stream', 'bucket', 'table', 'dashboard']

export interface Rule {
  ruleName: string
  sql: string
  description?: string
  ruleDisabled: boolean
  actions: Record<string, Record<string, unknown>>[]
  errorAction?: Record<string, Record<string, unknown>>
}

export interface Stream {
  name: string
  status: string
  bucket: string
  prefix: string
  sizeMiB: number
  intervalS: number
  compression: string
}

export interface FirehoseDescription {
  DeliveryStreamName: string
  DeliveryStreamStatus: string
  Destinations?: Record<string, Destination>[]
}

interface Destination {
  BucketARN?: string
  Prefix?: string
  BufferingHints?: { SizeInMBs?: number; IntervalInSeconds?: number }
  CompressionFormat?: string
}

export function streamOf(description: FirehoseDescription): Stream {
  const first = description.Destinations?.[0]
  const s3 = first?.['ExtendedS3DestinationDescription'] ?? first?.['S3DestinationDescription']
  return {
    name: description.DeliveryStreamName,
    status: description.DeliveryStreamStatus,
    bucket: (s3?.BucketARN ?? '').replace(/^arn:[^:]*:s3:::/, ''),
    prefix: s3?.Prefix ?? '',
    sizeMiB: s3?.BufferingHints?.SizeInMBs ?? 5,
    intervalS: s3?.BufferingHints?.IntervalInSeconds ?? 300,
    compression: s3?.CompressionFormat ?? 'UNCOMPRESSED',
  }
}

export interface Facts {
  rules: Rule[]
  streams: Stream[]
  tables: Table[]
}

export type Node =
  | { id: string; column: 'devices'; title: string }
  | { id: string; column: 'rule'; title: string; rule: Rule }
  | { id: string; column: 'stream'; title: string; stream: Stream | null }
  | { id: string; column: 'bucket'; title: string }
  | { id: string; column: 'table'; title: string; table: Table; streams: string[] }
  | { id: string; column: 'dashboard'; title: string; table: Table }

/** What an edge's rate is read from. */
export type Flow =
  | { kind: 'matched'; rule: string }
  | { kind: 'action'; rule: string; action: string }
  | { kind: 'delivered'; stream: string }
  | { kind: 'hot'; stream: string }
  | { kind: 'stored'; streams: string[] }
  | { kind: 'read'; streams: string[] }

export interface Edge {
  id: string
  from: string
  to: string
  flow: Flow
}

export interface Topology {
  nodes: Node[]
  edges: Edge[]
  problems: { node: string; text: string }[]
  empty: boolean
}

export function topology(facts: Facts): Topology {
  const nodes: Node[] = [{ id: 'devices', column: 'devices', title: 'Devices' }]
  const edges = new Map<string, Edge>()
  const problems: Topology['problems'] = []
  const buckets = new Set<string>()
  const known = new Set(facts.streams.map((stream) => stream.name))
  const ghosts = new Set<string>()
  const edge = (from: string, to: string, flow: Flow) => {
    const id = `${from} → ${to}`
    if (!edges.has(id)) edges.set(id, { id, from, to, flow })
  }

  const byName = <T>(name: (item: T) => string) => (a: T, b: T) => (name(a) < name(b) ? -1 : 1)
  for (const rule of [...facts.rules].sort(byName((r) => r.ruleName))) {
    const id = `rule/${rule.ruleName}`
    nodes.push({ id, column: 'rule', title: rule.ruleName, rule })
    edge('devices', id, { kind: 'matched', rule: rule.ruleName })
    for (const action of rule.actions) {
      const stream = action['firehose']?.['deliveryStreamName']
      if (typeof stream === 'string') {
        edge(id, `stream/${stream}`, { kind: 'action', rule: rule.ruleName, action: 'firehose' })
        const text = `Rule ${rule.ruleName} sends to the delivery stream ${stream}, which does not exist.`
        // Two actions of a rule may name the same stream: said once.
        if (!known.has(stream) && !problems.some((problem) => problem.text === text)) {
          ghosts.add(stream)
          problems.push({ node: id, text })
        }
      }
      const bucket = action['s3']?.['bucketName']
      if (typeof bucket === 'string') {
        buckets.add(bucket)
        edge(id, `bucket/${bucket}`, { kind: 'action', rule: rule.ruleName, action: 's3' })
      }
    }
  }

  const deliveries = [...facts.streams].sort(byName((s) => s.name))
  for (const stream of deliveries) {
    nodes.push({ id: `stream/${stream.name}`, column: 'stream', title: stream.name, stream })
    if (stream.bucket) {
      buckets.add(stream.bucket)
      edge(`stream/${stream.name}`, `bucket/${stream.bucket}`, { kind: 'delivered', stream: stream.name })
    }
  }
  for (const name of [...ghosts].sort()) nodes.push({ id: `stream/${name}`, column: 'stream', title: name, stream: null })

  const tables = facts.tables
    .map((table) => ({ table, place: table.location ? parseLocation(table.location) : null }))
    .filter(({ place }) => place !== null && buckets.has(place.bucket))
    .sort(byName(({ table }) => `${table.database}.${table.name}`))
  for (const name of [...buckets].sort()) nodes.push({ id: `bucket/${name}`, column: 'bucket', title: name })
  for (const { table, place } of tables) {
    const id = `table/${table.database}.${table.name}`
    const under = deliveries.filter((stream) => stream.bucket === place!.bucket && overlaps(stream.prefix, place!.prefix))
    // Only a table that covers the whole prefix sees the buffer: a buffered record has no narrower place yet.
    const streams = under.filter((stream) => fixedPart(stream.prefix).startsWith(place!.prefix)).map((stream) => stream.name)
    nodes.push({ id, column: 'table', title: `${table.database}.${table.name}`, table, streams })
    edge(`bucket/${place!.bucket}`, id, { kind: 'stored', streams: under.map((stream) => stream.name) })
    for (const stream of streams) edge(`stream/${stream}`, id, { kind: 'hot', stream })
    if (isHeartRateTable(table)) {
      const board = `dashboard/${table.database}.${table.name}`
      nodes.push({ id: board, column: 'dashboard', title: 'Heart rate', table })
      edge(id, board, { kind: 'read', streams })
    }
  }
  return { nodes, edges: [...edges.values()], problems, empty: !facts.rules.length && !facts.streams.length }
}

/** A delivery stream's prefix may hold `!{…}` expressions: only what stands before the first can be compared. */
function overlaps(streamPrefix: string, tablePrefix: string): boolean {
  const fixed = fixedPart(streamPrefix)
  return fixed.startsWith(tablePrefix) || tablePrefix.startsWith(fixed)
}

function fixedPart(streamPrefix: string): string {
  return streamPrefix.split('!{')[0]!
}

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface Layout {
  boxes: Map<string, Box>
  width: number
  height: number
}

/** Fixed columns from left to right, each centred vertically; the same input gives the same picture. */
export function layout(nodes: Node[], heightOf: (node: Node) => number, available: number): Layout {
  const gapY = 20
  const minGap = 44
  const cardMin = 158
  const cardMax = 216
  const n = COLUMNS.length
  const card = Math.min(cardMax, Math.max(cardMin, Math.floor((available - (n - 1) * minGap) / n)))
  const gap = Math.max(minGap, Math.min(96, Math.floor((available - n * card) / (n - 1))))
  const columns = COLUMNS.map((column) => nodes.filter((node) => node.column === column))
  const heights = columns.map((column) => column.reduce((sum, node) => sum + heightOf(node) + gapY, -gapY))
  const height = Math.max(0, ...heights)
  const boxes = new Map<string, Box>()
  columns.forEach((column, i) => {
    let y = (height - heights[i]!) / 2
    for (const node of column) {
      boxes.set(node.id, { x: i * (card + gap), y, width: card, height: heightOf(node) })
      y += heightOf(node) + gapY
    }
  })
  return { boxes, width: n * card + (n - 1) * gap, height }
}

/** The hot read's curve: from the upper right of a stream over everything in between to the upper left of a table. */
export function arch(from: Box, to: Box, between: Box[]): string {
  const x1 = from.x + from.width
  const y1 = from.y + 24
  const x2 = to.x
  const y2 = to.y + 24
  const crossed = between.filter((box) => box.y < Math.max(from.y + from.height, to.y + to.height) && box.y + box.height > Math.min(y1, y2) - 12)
  const top = Math.min(y1, y2, ...crossed.map((box) => box.y - 14))
  const lift = ((y1 + y2) / 2 - top) / 0.75
  const bend = (x2 - x1) * 0.28
  return `M${r(x1)} ${r(y1)} C${r(x1 + bend)} ${r(y1 - lift)} ${r(x2 - bend)} ${r(y2 - lift)} ${r(x2)} ${r(y2)}`
}

/** A smooth curve from the right side of one box to the left side of another. */
export function curve(from: Box, to: Box): string {
  const x1 = from.x + from.width
  const y1 = from.y + from.height / 2
  const x2 = to.x
  const y2 = to.y + to.height / 2
  const bend = Math.max(18, (x2 - x1) / 2)
  return `M${r(x1)} ${r(y1)} C${r(x1 + bend)} ${r(y1)} ${r(x2 - bend)} ${r(y2)} ${r(x2)} ${r(y2)}`
}

function r(value: number): number {
  return Math.round(value * 10) / 10
}
