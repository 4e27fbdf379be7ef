// The size budgets of the console: `npm run budget` after a build fails when one is exceeded. Sizes are of brotli.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const KIB = 1024
const DIST = new URL('./dist/', import.meta.url).pathname
const ROUTES = { Home: 90, Query: 150, Dashboard: 220, Access: 60, Identities: 60 }
const ALL_KIB = 550
const RUNTIME_DEPENDENCIES = 20

const size = (file) =>
  brotliCompressSync(readFileSync(join(DIST, file)), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length / KIB

let manifest
try {
  manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'))
} catch {
  console.error('There is no build to measure. Run: npm run build')
  process.exit(1)
}

/** Every script and style sheet a chunk needs before it runs. */
function needs(key, seen = new Set()) {
  const chunk = manifest[key]
  if (!chunk || seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const css of chunk.css ?? []) seen.add(css)
  for (const next of chunk.imports ?? []) needs(next, seen)
  return seen
}

function* files(folder = '') {
  for (const name of readdirSync(join(DIST, folder))) {
    const path = join(folder, name)
    if (path === '.vite') continue
    if (statSync(join(DIST, path)).isDirectory()) yield* files(path)
    else yield path
  }
}

const lines = []
const check = (name, value, limit, unit) => lines.push({ name, value, limit, unit, ok: value <= limit })
for (const [page, limit] of Object.entries(ROUTES)) {
  const wanted = needs('index.html', needs(`src/pages/${page}.svelte`))
  check(`${page}, first load`, [...wanted].reduce((sum, file) => sum + size(file), 0), limit, 'KiB')
}
check('All files', [...files()].reduce((sum, file) => sum + size(file), 0), ALL_KIB, 'KiB')
const { dependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'))
check('Runtime dependencies', Object.keys(dependencies).length, RUNTIME_DEPENDENCIES, '')

for (const { name, value, limit, unit, ok } of lines) {
  console.log(`${ok ? 'ok  ' : 'OVER'} ${name.padEnd(22)} ${(unit ? value.toFixed(1) : String(value)).padStart(6)} of ${limit} ${unit}`)
}
process.exit(lines.every((line) => line.ok) ? 0 : 1)
