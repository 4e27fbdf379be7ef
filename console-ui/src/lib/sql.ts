// Reading SQL text just enough for an editor: where statements begin and end, how a name is quoted, what position
// an error names. Pure.

export interface Statement {
  /** Offsets into the whole text; `to` excludes the semicolon. */
  from: number
  to: number
  text: string
}

/** The statements of a text, split at semicolons outside quotes and comments; blank ones are left out. */
export function statements(sql: string): Statement[] {
  const found: Statement[] = []
  let from = 0
  let i = 0
  const end = (to: number) => {
    const raw = sql.slice(from, to)
    const lead = raw.length - raw.trimStart().length
    const text = raw.trim()
    if (text && !onlyComments(text)) found.push({ from: from + lead, to: from + lead + text.length, text })
    from = to + 1
  }
  while (i < sql.length) {
    const c = sql[i]
    if (c === "'" || c === '"' || c === '`') {
      i += 1
      while (i < sql.length && sql[i] !== c) i += 1
    } else if (c === '-' && sql[i + 1] === '-') {
      while (i < sql.length && sql[i] !== '\n') i += 1
    } else if (c === '/' && sql[i + 1] === '*') {
      const close = sql.indexOf('*/', i + 2)
      i = close < 0 ? sql.length : close + 1
    } else if (c === ';') {
      end(i)
    }
    i += 1
  }
  end(sql.length)
  return found
}

function onlyComments(text: string): boolean {
  return text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').trim() === ''
}

/** The statement the cursor is in or just behind; the last one when it is behind all. */
export function statementAt(sql: string, cursor: number): Statement | null {
  const all = statements(sql)
  return all.find((statement) => cursor <= statement.to + 1) ?? all.at(-1) ?? null
}

/** Words that Athena keeps for itself in DML, so a column of that name must be quoted. */
const RESERVED = new Set(
  (
    'alter and as between by case cast constraint create cross cube current_catalog current_date current_path current_role ' +
    'current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else end escape except ' +
    'execute exists extract false first for from full group grouping having in inner insert intersect into is join last left ' +
    'like localtime localtimestamp natural not null on or order outer prepare recursive right rollup select table then true ' +
    'uescape union unnest using values when where with'
  ).split(' '),
)

/** A name as it must be written in SQL: bare when it is plain lower case, quoted otherwise. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** The place an Athena message names (`line 3:14: …`), 1-based; null when it names none. */
export function errorPosition(message: string): { line: number; column: number } | null {
  const place = /\bline (\d+):(\d+)\b/.exec(message)
  return place ? { line: Number(place[1]), column: Number(place[2]) } : null
}

/** The offset of a 1-based line and column, kept inside the text. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0
  for (let n = 1; n < line; n += 1) {
    const next = text.indexOf('\n', start)
    if (next < 0) return text.length
    start = next + 1
  }
  const stop = text.indexOf('\n', start)
  return Math.min(start + Math.max(0, column - 1), stop < 0 ? text.length : stop)
}
