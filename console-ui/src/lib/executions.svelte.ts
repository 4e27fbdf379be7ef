// One query execution at a time per tab, through Athena's own three calls: start, poll, read. Also the history.
//
// 1. A result is read page by page: the first at once, the rest when the reader scrolls to them.
// 2. The first row of a SELECT's first page repeats the column names and is left out.
// 3. A run that is replaced or cancelled changes nothing afterwards.

import { asApiError, aws, type ApiError } from './api.ts'

export interface QueryExecution {
  QueryExecutionId: string
  Query?: string
  StatementType?: string
  QueryExecutionContext?: { Database?: string }
  Status?: {
    State?: State
    StateChangeReason?: string
    SubmissionDateTime?: number | string
    CompletionDateTime?: number | string
    AthenaError?: { ErrorMessage?: string; ErrorType?: number }
  }
  Statistics?: {
    EngineExecutionTimeInMillis?: number
    TotalExecutionTimeInMillis?: number
    QueryQueueTimeInMillis?: number
    QueryPlanningTimeInMillis?: number
    ServiceProcessingTimeInMillis?: number
    DataScannedInBytes?: number
  }
  ResultConfiguration?: { OutputLocation?: string }
  WorkGroup?: string
}

export type State = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

interface ResultPage {
  ResultSet?: {
    Rows?: { Data?: { VarCharValue?: string }[] }[]
    ResultSetMetadata?: { ColumnInfo?: { Name: string; Type?: string }[] }
  }
  NextToken?: string
  UpdateCount?: number
}

const PAGE_ROWS = 1000
/** Rows kept in the browser; what lies beyond is in the result object. */
export const ROWS_MAX = 100_000
const HISTORY_MAX = 50

export interface Result {
  columns: { name: string; type: string }[]
  rows: (string | null)[][]
  next: string | null
}

/** A statement on its way, or done. */
export class Run {
  sql: string
  /** Where the statement began in the editor's text. */
  offset: number
  id = $state<string | null>(null)
  execution = $state.raw<QueryExecution | null>(null)
  result = $state.raw<Result | null>(null)
  error = $state.raw<ApiError | null>(null)
  loadingMore = $state(false)
  startedAt = Date.now()
  #replaced = false

  constructor(sql: string, offset: number) {
    this.sql = sql
    this.offset = offset
  }

  get state(): State | 'STARTING' | 'LOST' {
    if (this.error && !this.execution) return 'LOST'
    const state = this.execution?.Status?.State
    return state ?? 'STARTING'
  }

  get busy(): boolean {
    return !this.error && (this.state === 'STARTING' || this.state === 'QUEUED' || this.state === 'RUNNING')
  }

  async start(database: string): Promise<void> {
    try {
      const started = await aws<{ QueryExecutionId: string }>('athena', 'StartQueryExecution', {
        QueryString: this.sql,
        QueryExecutionContext: { Database: database },
      })
      this.id = started.QueryExecutionId
      await this.#follow()
    } catch (error) {
      if (!this.#replaced) this.error = asApiError(error)
    }
  }

  /** Shows an execution of the past. */
  async reopen(id: string): Promise<void> {
    try {
      this.id = id
      await this.#follow()
    } catch (error) {
      if (!this.#replaced) this.error = asApiError(error)
    }
  }

  async cancel(): Promise<void> {
    if (!this.id) return
    try {
      await aws('athena', 'StopQueryExecution', { QueryExecutionId: this.id })
    } catch (error) {
      this.error = asApiError(error)
    }
  }

  /** This run is no longer shown: stop polling. */
  abandon(): void {
    this.#replaced = true
  }

  async #follow(): Promise<void> {
    let wait = 60
    let misses = 0
    while (!this.#replaced) {
      try {
        const answer = await aws<{ QueryExecution: QueryExecution }>('athena', 'GetQueryExecution', { QueryExecutionId: this.id })
        if (this.#replaced) return
        this.execution = answer.QueryExecution
        misses = 0
      } catch (error) {
        // The node may be restarting under a running query: keep asking for a while.
        if (!asApiError(error).unreachable || (misses += 1) > 10) throw error
      }
      const state = this.execution?.Status?.State
      if (state === 'SUCCEEDED') return this.#read(null)
      if (state === 'FAILED' || state === 'CANCELLED') return
      await new Promise((resolve) => setTimeout(resolve, wait))
      wait = Math.min(1000, wait * 1.5)
    }
  }

  async more(): Promise<void> {
    const token = this.result?.next
    if (!token || this.loadingMore || this.result!.rows.length >= ROWS_MAX) return
    this.loadingMore = true
    try {
      await this.#read(token)
    } catch (error) {
      this.error = asApiError(error)
    } finally {
      this.loadingMore = false
    }
  }

  async #read(token: string | null): Promise<void> {
    const page = await aws<ResultPage>('athena', 'GetQueryResults', {
      QueryExecutionId: this.id,
      MaxResults: PAGE_ROWS,
      ...(token ? { NextToken: token } : {}),
    })
    if (this.#replaced) return
    const info = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
    const columns = token ? this.result!.columns : info.map((column) => ({ name: column.Name, type: column.Type ?? 'varchar' }))
    let rows = (page.ResultSet?.Rows ?? []).map((row) => columns.map((_, i) => row.Data?.[i]?.VarCharValue ?? null))
    const repeatsNames = !token && rows.length > 0 && rows[0]!.every((value, i) => value === columns[i]!.name)
    if (repeatsNames && this.execution?.StatementType !== 'DDL') rows = rows.slice(1)
    this.result = { columns, rows: token ? [...this.result!.rows, ...rows] : rows, next: page.NextToken ?? null }
  }
}

/** The newest executions. Uses the batch operation, or single ones where the node has no such operation. */
export async function history(): Promise<QueryExecution[]> {
  const listed = await aws<{ QueryExecutionIds?: string[] }>('athena', 'ListQueryExecutions', { MaxResults: HISTORY_MAX })
  const ids = listed.QueryExecutionIds ?? []
  if (!ids.length) return []
  let found: QueryExecution[]
  try {
    const answer = await aws<{ QueryExecutions?: QueryExecution[] }>('athena', 'BatchGetQueryExecution', { QueryExecutionIds: ids })
    found = answer.QueryExecutions ?? []
  } catch (error) {
    if (!/UnknownOperation|InvalidAction|NotFound/.test(asApiError(error).code)) throw error
    const single = await Promise.all(
      ids.map((id) =>
        aws<{ QueryExecution: QueryExecution }>('athena', 'GetQueryExecution', { QueryExecutionId: id }).then(
          (answer) => answer.QueryExecution,
          () => null,
        ),
      ),
    )
    found = single.filter((execution) => execution !== null)
  }
  const order = new Map(ids.map((id, i) => [id, i]))
  return found.sort((a, b) => (order.get(a.QueryExecutionId) ?? 0) - (order.get(b.QueryExecutionId) ?? 0))
}

/** An AWS time: seconds since 1970 as a number, or ISO text. In ms. */
export function awsTime(value: number | string | undefined): number {
  return typeof value === 'number' ? value * 1000 : value ? Date.parse(value) : NaN
}
