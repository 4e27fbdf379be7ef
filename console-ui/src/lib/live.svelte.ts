// The once-a-second poll of the node's counters, shared by all pages, and whether the node answers at all.
// It rests while the tab is hidden, and waits longer between tries while nothing answers.

import { asApiError, metrics } from './api.ts'
import { Series } from './rates.ts'

const PERIOD_MS = 1000
const RETRY_MS_MAX = 5000
/** Who may not see metrics asks seldom: each time is a denied request. */
const DENIED_PERIOD_MS = 15_000
/** A single lost answer is not yet an outage. */
const FAILURES_BEFORE_DOWN = 2

let series = $state.raw(new Series())
let failures = $state(0)
let answeredAt = $state(0)
let skewMs = 0
let running = false
let asking = false
let timer: ReturnType<typeof setTimeout> | undefined
let recovered = $state(0)
let denied = $state<string | null>(null)

async function tick(): Promise<void> {
  if (asking) return
  asking = true
  const start = performance.now()
  try {
    const answer = await metrics()
    if (failures >= FAILURES_BEFORE_DOWN) recovered += 1
    failures = 0
    answeredAt = Date.now()
    skewMs = answer.at - answeredAt
    series = series.with(answer)
    denied = answer.denied ?? null
  } catch (error) {
    if (asApiError(error).status === 401) return stop()
    failures += 1
  } finally {
    asking = false
  }
  if (!running || document.hidden) return
  const wait = denied !== null && !failures ? DENIED_PERIOD_MS : failures ? Math.min(RETRY_MS_MAX, PERIOD_MS * failures) : Math.max(100, PERIOD_MS - (performance.now() - start))
  timer = setTimeout(tick, wait)
}

function stop(): void {
  running = false
  clearTimeout(timer)
}

function start(): void {
  if (running) return
  running = true
  void tick()
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else if (running) {
    clearTimeout(timer)
    void tick()
  }
})

export const live = {
  start,
  stop,
  /** The counters; another object with each answer. */
  get series(): Series {
    return series
  },
  get down(): boolean {
    return failures >= FAILURES_BEFORE_DOWN
  },
  /** Why there are no counters; null when there are. */
  get denied(): string | null {
    return denied
  },
  /** When the node last answered, by this browser's clock. */
  get answeredAt(): number {
    return answeredAt
  },
  /** Rises each time the node answers again after an outage. */
  get recovered(): number {
    return recovered
  },
  /** Now, by the node's clock as well as it is known. */
  now: () => Date.now() + skewMs,
}
