// The only file that speaks to the node: the console's few routes, and through them the public AWS operations.
// Every call is noted in `calls`, which is what the API drawer shows.

import type { Denied, Generated, Principals } from './access.ts'
import { note } from './calls.svelte.ts'
import { region } from './region.ts'
import type { Metrics } from './rates.ts'
import type { Json } from './snippets.ts'

export interface Account {
  account: string
  region: string
  arn: string
  version?: string
  /** Where AWS clients reach this node, if it says so. */
  endpoint?: string
}

export interface SqlResult {
  columns: { name: string; type: string }[]
  rows: (string | null)[][]
  truncated: boolean
  statistics: { elapsedMs: number; bytesScanned: number; objects: number; bufferedRecords: number }
}

/** What went wrong: `unreachable` when no answer came, else the AWS error code of the answer. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status: number) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
  }

  get unreachable(): boolean {
    return this.status === 0
  }
}

/** The error of anything thrown. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('ConsoleError', error instanceof Error ? error.message : String(error), -1)
}

const listeners = new Set<() => void>()

/** Runs `listener` when an answer says that the session has ended. */
export function onSessionEnd(listener: () => void): void {
  listeners.add(listener)
}

async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers: { 'X-Console': '1', ...(region === null ? {} : { 'X-Console-Region': region }), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ?? AbortSignal.timeout(60_000),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError('Unreachable', 'The node does not answer.', 0)
  }
  const text = await response.text().catch(() => '')
  let answer: unknown = null
  try {
    answer = text ? JSON.parse(text) : null
  } catch {
    if (response.ok) throw new ApiError('BadAnswer', 'The node answered with something that is not JSON.', response.status)
  }
  if (!response.ok) {
    const error = (answer ?? {}) as { __type?: string; message?: string; Message?: string }
    const code = (error.__type ?? `HTTP ${response.status}`).replace(/^.*#/, '')
    if (response.status === 401 && path !== '/console/session') for (const listener of listeners) listener()
    throw new ApiError(code, error.message ?? error.Message ?? response.statusText, response.status)
  }
  return answer
}

export const session = {
  open: (credentials: { token: string } | { accessKeyId: string; secretAccessKey: string }) =>
    request('POST', '/console/session', credentials) as Promise<Account>,
  current: () => request('GET', '/console/session') as Promise<Account>,
  close: () => request('DELETE', '/console/session') as Promise<null>,
}

/** One public AWS operation, with the session's permissions. */
export async function aws<Output>(
  service: string,
  operation: string,
  params: { [name: string]: Json } = {},
  signal?: AbortSignal,
): Promise<Output> {
  const done = note({ service, operation, params })
  try {
    const output = (await request('POST', `/console/aws/${service}/${operation}`, params, signal)) as Output
    done(null, output)
    return output
  } catch (error) {
    done(asApiError(error).code, null)
    throw error
  }
}

/** SQL by Athena's engine, without an execution record: what dashboards ask every second or two. */
export async function sql(text: string, database: string, signal?: AbortSignal): Promise<SqlResult> {
  const done = note({
    service: 'athena',
    operation: 'StartQueryExecution',
    params: { QueryString: text, QueryExecutionContext: { Database: database } },
  })
  try {
    const result = (await request('POST', '/console/sql', { sql: text, database }, signal)) as SqlResult
    done(null, { statistics: result.statistics, rows: result.rows.length })
    return result
  } catch (error) {
    done(asApiError(error).code, null)
    throw error
  }
}

/** What policies did not allow and what was used: the node's own record, which no AWS operation answers as it is. */
export const access = {
  denied: (contains: string, offset: number, limit: number) => request('POST', '/console/access/denied', { contains, offset, limit }) as Promise<Denied>,
  principals: () => request('POST', '/console/access/principals', {}) as Promise<Principals>,
  policy: (principal: string) => request('POST', '/console/access/policy', { principal }) as Promise<Generated>,
}

export function metrics(): Promise<Metrics> {
  return request('GET', '/console/metrics', undefined, AbortSignal.timeout(4000)).catch((error: unknown) => {
    throw error instanceof ApiError ? error : new ApiError('Unreachable', 'The node does not answer.', 0)
  }) as Promise<Metrics>
}

/** All pages of a list operation. Bounded: `pages` pages at most. */
export async function all<Page, Item>(
  page: (token: string | undefined) => Promise<Page>,
  items: (page: Page) => Item[] | undefined,
  next: (page: Page) => string | undefined | null,
  pages = 20,
): Promise<Item[]> {
  const found: Item[] = []
  let token: string | undefined
  for (let n = 0; n < pages; n += 1) {
    const answer = await page(token)
    found.push(...(items(answer) ?? []))
    token = next(answer) ?? undefined
    if (!token) break
  }
  return found
}
