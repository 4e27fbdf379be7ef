// The heart-rate dashboard's questions: which tables can answer them, and the SQL that asks. Pure.

import { instant, sqlTimestamp } from './format.ts'
import { identifier } from './sql.ts'
import type { Table } from './catalog.ts'

/** A table over what a delivery stream writes, as every empty state offers it. */
export const HEART_RATE_TABLE = `CREATE EXTERNAL TABLE default.heartrate_iot_data (
  heartRate int, userId string,
  rateType string, dateTime timestamp)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://heartbeats/heartrate_data/'`

export const WINDOWS = [
  { id: '1m', label: '1 min', ms: 60_000 },
  { id: '5m', label: '5 min', ms: 300_000 },
  { id: '15m', label: '15 min', ms: 900_000 },
  { id: 'all', label: 'All', ms: null },
] as const

export type Window = (typeof WINDOWS)[number]

/** One point a user and grain: a truncation unit, and within a minute a step of so many seconds. */
export interface Grain {
  unit: 'minute' | 'hour' | 'day'
  step: number | null
  label: string
}

/** The grain that keeps a chart of this extent near 60 to 360 points a line. */
export function grain(extentMs: number): Grain {
  if (extentMs <= 2 * 60_000) return { unit: 'minute', step: 1, label: '1 s' }
  if (extentMs <= 8 * 60_000) return { unit: 'minute', step: 2, label: '2 s' }
  if (extentMs <= 30 * 60_000) return { unit: 'minute', step: 5, label: '5 s' }
  if (extentMs <= 6 * 3_600_000) return { unit: 'minute', step: null, label: '1 min' }
  if (extentMs <= 15 * 86_400_000) return { unit: 'hour', step: null, label: '1 h' }
  return { unit: 'day', step: null, label: '1 d' }
}

/** Lines drawn at most, and so users asked for: more than this many lines cannot be told apart. */
export const USERS_MAX = 40

export function isHeartRateTable(table: Table): boolean {
  const names = new Set(table.columns.map((column) => column.name.toLowerCase()))
  return ['heartrate', 'userid', 'datetime'].every((name) => names.has(name))
}

export function hasRateType(table: Table): boolean {
  return table.columns.some((column) => column.name.toLowerCase() === 'ratetype')
}

function from(table: Table): string {
  return `${identifier(table.database)}.${identifier(table.name)}`
}

function since(window: Window, now: number): string {
  return window.ms === null ? '' : `\nWHERE datetime >= TIMESTAMP '${sqlTimestamp(Math.floor((now - window.ms) / 1000) * 1000)}'`
}

/** Average heart rate by user and grain. `part` counts steps within `at`, so the two give the time. */
export function linesSql(table: Table, window: Window, now: number, by: Grain): string {
  const part = by.step === null ? '0' : `floor(extract(second FROM datetime) / ${by.step})`
  return `SELECT userid,
       date_trunc('${by.unit}', datetime) AS at,
       ${part} AS part,
       avg(heartrate) AS bpm
FROM ${from(table)}${since(window, now)}
GROUP BY 1, 2, 3
ORDER BY 2, 3, 1`
}

export function averagesSql(table: Table, window: Window, now: number): string {
  return `SELECT userid,
       avg(heartrate) AS average,
       min(heartrate) AS lowest,
       max(heartrate) AS highest,
       count(*) AS readings,
       min(datetime) AS first,
       max(datetime) AS last
FROM ${from(table)}${since(window, now)}
GROUP BY userid
ORDER BY average DESC`
}

export function latestSql(table: Table, window: Window, now: number): string {
  const rate = hasRateType(table) ? 'ratetype' : "CASE WHEN heartrate < 60 THEN 'LOW' WHEN heartrate > 100 THEN 'HIGH' ELSE 'NORMAL' END"
  return `SELECT userid, heartrate, ratetype, datetime
FROM (
  SELECT userid, heartrate, ${rate} AS ratetype, datetime,
         row_number() OVER (PARTITION BY userid ORDER BY datetime DESC) AS place
  FROM ${from(table)}${since(window, now)}
) AS readings
WHERE place = 1
ORDER BY userid`
}

export interface Lines {
  users: string[]
  /** Seconds since 1970, ascending. */
  times: number[]
  /** By user, one value a time; null where that user has no reading. */
  values: (number | null)[][]
}

/** Rows of `linesSql` as columns for the chart. Rows whose time or value is NULL are left out. */
export function lines(rows: (string | null)[][], by: Grain): Lines {
  const byUser = new Map<string, Map<number, number>>()
  const times = new Set<number>()
  for (const [user, start, part, bpm] of rows) {
    if (user == null || start == null || bpm == null) continue
    const at = instant(start) / 1000 + Number(part ?? 0) * (by.step ?? 0)
    const value = Number(bpm)
    if (!Number.isFinite(at) || !Number.isFinite(value)) continue
    times.add(at)
    if (!byUser.has(user)) byUser.set(user, new Map())
    byUser.get(user)!.set(at, value)
  }
  const users = [...byUser.keys()].sort((a, b) => (a < b ? -1 : 1)).slice(0, USERS_MAX)
  const axis = [...times].sort((a, b) => a - b)
  return { users, times: axis, values: users.map((user) => axis.map((at) => byUser.get(user)!.get(at) ?? null)) }
}

export type RateState = 'LOW' | 'NORMAL' | 'HIGH' | 'UNKNOWN'

export function rateState(text: string | null): RateState {
  const word = (text ?? '').toUpperCase()
  return word === 'LOW' || word === 'NORMAL' || word === 'HIGH' ? word : 'UNKNOWN'
}
