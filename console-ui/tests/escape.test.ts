// What would break the strict Content-Security-Policy or let foreign text become markup is not in the sources.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const SOURCES = new URL('../src/', import.meta.url)
const BANNED: [RegExp, string][] = [
  [/\{@html/, '{@html}'],
  [/\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write/, 'markup from text'],
  [/javascript:/i, 'a javascript: address'],
  [/\beval\(|new Function\(/, 'code from text'],
  [/\sstyle="[^{"]*"/, 'a static style attribute, which the policy blocks'],
  [/\bon\w+="[^{"]*"/, 'an inline handler'],
]

test('no source holds what the policy forbids', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name))
  assert.ok(files.length > 20)
  for (const file of files) {
    const text = readFileSync(new URL(file, SOURCES), 'utf8')
    for (const [pattern, what] of BANNED) assert.doesNotMatch(text, pattern, `${file} has ${what}`)
  }
})

test('the lockfile names no host of packages', () => {
  assert.doesNotMatch(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'), /"resolved"|https?:\/\/[^"]*\.tgz/)
})
