// The same call as other tools would make it: (service, operation, params) → boto3 or AWS CLI text. Pure.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface Call {
  service: string
  operation: string
  params: Record<string, Json>
}

/** Where a snippet points: the node's own endpoint, or AWS itself. */
export interface Target {
  endpoint: string | null
  region: string
}

/** An AWS name in words joined by `separator`, as botocore does it: SizeInMBs → size_in_mbs, ListARNs → list_arns. */
export function words(name: string, separator: '_' | '-'): string {
  if (name.includes(separator)) return name
  const plural = /[A-Z]{2,}s$/.exec(name)?.[0]
  const stem = plural ? `${name.slice(0, -plural.length)}${separator}${plural.toLowerCase()}` : name
  return stem
    .replace(/(.)([A-Z][a-z]+)/g, `$1${separator}$2`)
    .replace(/([a-z0-9])([A-Z])/g, `$1${separator}$2`)
    .replace(new RegExp(`${separator}+`, 'g'), separator)
    .replace(new RegExp(`^${separator}`), '')
    .toLowerCase()
}

export function boto3(call: Call, target: Target): string {
  const client = [`'${call.service}'`, `region_name=${pyString(target.region)}`]
  if (target.endpoint) client.push(`endpoint_url=${pyString(target.endpoint)}`)
  const variable = call.service.replace(/\W/g, '_')
  const params = Object.entries(call.params)
  const args = params.length
    ? `\n${params.map(([name, value]) => `    ${name}=${python(value, 1)},`).join('\n')}\n`
    : ''
  return `import boto3\n\n${variable} = boto3.client(${client.join(', ')})\nanswer = ${variable}.${words(call.operation, '_')}(${args})\n`
}

function python(value: Json, depth: number): string {
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return value.includes('\n') ? pyBlock(value) : pyString(value)
  const inner = '    '.repeat(depth + 1)
  const close = '    '.repeat(depth)
  if (Array.isArray(value)) {
    if (value.every((item) => item === null || typeof item !== 'object')) return `[${value.map((item) => python(item, depth)).join(', ')}]`
    return `[\n${value.map((item) => `${inner}${python(item, depth + 1)},\n`).join('')}${close}]`
  }
  const entries = Object.entries(value)
  if (!entries.length) return '{}'
  if (entries.length === 1 && (entries[0]![1] === null || typeof entries[0]![1] !== 'object')) {
    return `{${pyString(entries[0]![0])}: ${python(entries[0]![1], depth)}}`
  }
  return `{\n${entries.map(([name, item]) => `${inner}${pyString(name)}: ${python(item, depth + 1)},\n`).join('')}${close}}`
}

function pyString(text: string): string {
  return `'${escapePython(text).replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`
}

function pyBlock(text: string): string {
  return `"""${escapePython(text).replaceAll('"""', '\\"\\"\\"').replace(/"$/, '\\"')}"""`
}

function escapePython(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (char) => `\\u${hex4(char)}`)
}

export function cli(call: Call, target: Target): string {
  const lines = [`aws ${call.service} ${words(call.operation, '-')}`]
  for (const [name, value] of Object.entries(call.params)) {
    const option = `--${words(name, '-')}`
    if (value === true) lines.push(option)
    else if (value === false) lines.push(`--no-${option.slice(2)}`)
    else if (value !== null) lines.push(`${option} ${argument(value)}`)
  }
  lines.push(`--region ${shell(target.region)}`)
  if (target.endpoint) lines.push(`--endpoint-url ${shell(target.endpoint)}`)
  return lines.join(' \\\n    ') + '\n'
}

function argument(value: Exclude<Json, null | boolean>): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return shell(value)
  if (Array.isArray(value) && value.length && value.every((item) => typeof item === 'string' && !/^[[{]/.test(item))) {
    return value.map((item) => shell(item as string)).join(' ')
  }
  return shell(JSON.stringify(value))
}

/** One word of a POSIX shell. Control characters and hidden ones go through $'…', so that what is pasted is what is seen. */
export function shell(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/.test(text)) {
    const inner = text
      .replaceAll('\\', '\\\\')
      .replaceAll("'", "\\'")
      .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (char) => `\\u${hex4(char)}`)
    return `$'${inner}'`
  }
  return `'${text.replaceAll("'", "'\\''")}'`
}

function hex4(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(4, '0')
}
