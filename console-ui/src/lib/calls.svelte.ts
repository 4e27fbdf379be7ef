// The calls the pages made, newest first: what the API drawer shows and turns into boto3 and CLI text.
// A call that is repeated (a poll) is one line with a count. Bounded.

import type { Call } from './snippets.ts'

export interface NotedCall extends Call {
  id: number
  page: string
  times: number
  startedAt: number
  elapsedMs: number | null
  error: string | null
  answer: string | null
}

const CALLS_MAX = 120
const ANSWER_CHARS_MAX = 20_000

let made = $state.raw<NotedCall[]>([])
let ids = 0

export const calls = {
  of: (page: string) => made.filter((call) => call.page === page),
}

/** Notes a call that begins now; the returned function is told how it ended. */
export function note(call: Call): (error: string | null, answer: unknown) => void {
  const startedAt = Date.now()
  const page = location.pathname
  const start = performance.now()
  const same = made.find((other) => other.page === page && sameCall(other, call))
  const entry: NotedCall = same
    ? { ...same, ...call, times: same.times + 1, startedAt }
    : { ...call, id: (ids += 1), page, times: 1, startedAt, elapsedMs: null, error: null, answer: null }
  made = [entry, ...made.filter((other) => other.id !== entry.id)].slice(0, CALLS_MAX)
  return (error, answer) => {
    const elapsedMs = performance.now() - start
    let text: string | null = null
    if (answer !== null) {
      text = JSON.stringify(answer, null, 2)
      if (text.length > ANSWER_CHARS_MAX) text = `${text.slice(0, ANSWER_CHARS_MAX)}\n… (${text.length - ANSWER_CHARS_MAX} more characters)`
    }
    made = made.map((other) => (other.id === entry.id ? { ...other, elapsedMs, error, answer: text } : other))
  }
}

// Polls differ in a time literal or a page token; they are the same line.
function sameCall(a: Call, b: Call): boolean {
  return a.service === b.service && a.operation === b.operation && shape(a.params) === shape(b.params)
}

function shape(params: Call['params']): string {
  return JSON.stringify(params).replace(/TIMESTAMP '[^']*'/g, 'TIMESTAMP').replace(/"NextToken":"[^"]*",?/g, '')
}
