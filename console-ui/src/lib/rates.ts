// From exact counters to rates: the node counts, the browser subtracts. Pure.
//
// 1. A rate is a difference of two answers over the difference of their own clocks (`at`), never of the browser's.
// 2. A counter that went down means the node restarted: that interval has no rate, not a negative one.
// 3. A series missing from an answer is 0: counters appear with their first event.

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Metrics {
  at: number
  counters: Sample[]
  gauges: Sample[]
  /** Why there are none. */
  denied?: string
}

export interface Point {
  at: number
  value: number
}

/** How many answers are kept: five minutes at one a second. */
export const SNAPSHOTS_MAX = 301

interface Snapshot {
  at: number
  values: Map<string, number>
}

function key(name: string, labels: Record<string, string>): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

export class Series {
  #snapshots: Snapshot[] = []
  #labels = new Map<string, Sample>()

  /**
   * The series with one more answer of /console/metrics. An answer that is not newer than the last is ignored, unless it
   * is so much older that the node's clock must have been set back: then all begins anew. This series does not change.
   */
  with(metrics: Metrics): Series {
    const next = new Series()
    const last = this.#snapshots.at(-1)
    if (last && metrics.at <= last.at) {
      if (last.at - metrics.at < 60_000) return this
    } else {
      next.#snapshots = this.#snapshots.slice(-(SNAPSHOTS_MAX - 1))
      next.#labels = this.#labels
    }
    const values = new Map<string, number>()
    for (const sample of [...metrics.counters, ...metrics.gauges]) {
      const id = key(sample.name, sample.labels)
      values.set(id, sample.value)
      if (!next.#labels.has(id)) next.#labels.set(id, sample)
    }
    next.#snapshots.push({ at: metrics.at, values })
    return next
  }

  get at(): number {
    return this.#snapshots.at(-1)?.at ?? 0
  }

  get ready(): boolean {
    return this.#snapshots.length > 0
  }

  /** The newest value: the sum over all series of `name` that carry `labels`. */
  value(name: string, labels: Record<string, string> = {}): number {
    const last = this.#snapshots.at(-1)
    return last ? sum(last, this.#ids(name, labels)) : 0
  }

  /** Events per second over the last `windowMs`; 0 until there are two answers. */
  rate(name: string, labels: Record<string, string> = {}, windowMs = 3000): number {
    const ids = this.#ids(name, labels)
    const last = this.#snapshots.at(-1)
    if (!last || !ids.length) return 0
    let rose = 0
    let from = last.at
    for (let i = this.#snapshots.length - 1; i > 0; i -= 1) {
      const newer = this.#snapshots[i]!
      const older = this.#snapshots[i - 1]!
      if (last.at - older.at > windowMs + 250 && from !== last.at) break
      const step = sum(newer, ids) - sum(older, ids)
      if (step < 0) break
      rose += step
      from = older.at
    }
    return from === last.at ? 0 : (rose * 1000) / (last.at - from)
  }

  /** How much a counter rose within the last `windowMs`. */
  rise(name: string, labels: Record<string, string>, windowMs: number): number {
    const ids = this.#ids(name, labels)
    const last = this.#snapshots.at(-1)
    if (!last || !ids.length) return 0
    let rose = 0
    for (let i = this.#snapshots.length - 1; i > 0; i -= 1) {
      const older = this.#snapshots[i - 1]!
      if (last.at - older.at > windowMs) break
      rose += Math.max(0, sum(this.#snapshots[i]!, ids) - sum(older, ids))
    }
    return rose
  }

  /** When a counter last rose, on the node's clock; null when that was not seen. */
  lastRise(name: string, labels: Record<string, string>): number | null {
    const ids = this.#ids(name, labels)
    if (!ids.length) return null
    for (let i = this.#snapshots.length - 1; i > 0; i -= 1) {
      if (sum(this.#snapshots[i]!, ids) > sum(this.#snapshots[i - 1]!, ids)) return this.#snapshots[i]!.at
    }
    return null
  }

  /** Rates over the last `windowMs`, one point an answer, oldest first. A restart leaves a gap. */
  rates(name: string, labels: Record<string, string> = {}, windowMs = 60_000): Point[] {
    const ids = this.#ids(name, labels)
    const points: Point[] = []
    const last = this.#snapshots.at(-1)
    if (!last) return points
    for (let i = 1; i < this.#snapshots.length; i += 1) {
      const newer = this.#snapshots[i]!
      const older = this.#snapshots[i - 1]!
      if (last.at - newer.at > windowMs) continue
      const step = sum(newer, ids) - sum(older, ids)
      if (step >= 0) points.push({ at: newer.at, value: (step * 1000) / (newer.at - older.at) })
    }
    return points
  }

  #ids(name: string, labels: Record<string, string>): string[] {
    const wanted = Object.entries(labels)
    const ids: string[] = []
    for (const [id, sample] of this.#labels) {
      if (sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value)) ids.push(id)
    }
    return ids
  }
}

function sum(snapshot: Snapshot, ids: string[]): number {
  let total = 0
  for (const id of ids) total += snapshot.values.get(id) ?? 0
  return total
}

/** How many dots an edge carries at a rate, on a log scale and capped, so that the picture stays calm. */
export function dots(rate: number): number {
  if (!(rate > 0)) return 0
  return Math.min(9, 1 + Math.floor(Math.log2(1 + rate)))
}

/** How thick an edge is at a rate, px. */
export function thickness(rate: number): number {
  return 1.5 + Math.min(3, rate > 0 ? 0.5 + 0.6 * Math.log10(1 + rate) : 0)
}
