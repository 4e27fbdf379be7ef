// How numbers, sizes, times and foreign text are written everywhere in the console. Pure.

/** A count or rate in at most four significant places: 7, 12.4, 1 204, 18.3k, 2.1M. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1e9) return `${places(value / 1e9)}G`
  if (size >= 1e6) return `${places(value / 1e6)}M`
  if (size >= 1e4) return `${places(value / 1e3)}k`
  if (size >= 1000) return group(Math.round(value))
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return places(value)
}

function places(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 0.095 || size === 0 ? 1 : 2
  return value.toFixed(digits).replace(/\.0+$/, '')
}

/** An exact integer with thin spaces between thousands. */
export function group(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u2009')
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value < 1024) return `${Math.round(value)} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let size = value / 1024
  let unit = 0
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`
}

/** A duration in the unit a person would use: 340 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 0) return '0 ms'
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  const min = Math.floor(s / 60)
  if (min < 60) return s % 60 ? `${min} min ${s % 60} s` : `${min} min`
  const h = Math.floor(min / 60)
  if (h < 24) return min % 60 ? `${h} h ${min % 60} min` : `${h} h`
  return h % 24 ? `${Math.floor(h / 24)} d ${h % 24} h` : `${Math.floor(h / 24)} d`
}

/** How long ago, coarse on purpose: it is read at a glance. */
export function ago(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 2000) return 'now'
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`
  return `${Math.floor(ms / 86_400_000)} d ago`
}

/** Local wall-clock time, 24 h. */
export function clock(ms: number): string {
  const at = new Date(ms)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/**
 * The milliseconds since 1970 of a SQL timestamp, which is UTC when it names no zone
 * (`2017-08-26 07:47:12.345`, `2017-08-26T07:47:12Z`, `… UTC`). NaN when it is none.
 */
export function instant(text: string): number {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(?:Z|UTC|\+00:?00)?$/.exec(text.trim())
  if (!parts) return NaN
  const [, y, mo, d, h = '0', mi = '0', s = '0', fraction = ''] = parts
  return Date.UTC(+y!, +mo! - 1, +d!, +h, +mi, +s, +fraction.slice(0, 3).padEnd(3, '0'))
}

/** A SQL timestamp literal's text, UTC, to the millisecond. */
export function sqlTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}

// Characters that change how their neighbours look, or that look like nothing: control characters except tab and
// line feed, soft hyphen, Arabic letter mark, zero-width and bidirectional controls, byte-order mark, tags,
// and halves of surrogate pairs.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu

/** Foreign text with every hidden character written out as ⟦U+202E⟧, so that nothing can pretend to be something else. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `⟦U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟧`)
}

/** `visible` on one line: line feeds and tabs become ↵ and →. */
export function oneLine(text: string): string {
  return visible(text).replace(/\n/g, '↵').replace(/\t/g, '→')
}

/** RFC 4180 CSV of a result; NULL is an empty field, an empty string is `""`. */
export function csv(columns: string[], rows: (string | null)[][]): string {
  const field = (value: string | null) =>
    value === null ? '' : value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  return [columns, ...rows].map((row) => row.map(field).join(',')).join('\r\n') + '\r\n'
}
