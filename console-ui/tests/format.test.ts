import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, bytes, count, csv, duration, group, instant, oneLine, sqlTimestamp, visible } from '../src/lib/format.ts'

test('numbers', () => {
  for (const [value, text] of [[0, '0'], [7, '7'], [0.25, '0.3'], [0.03, '0.03'], [12.44, '12.4'], [999, '999'], [1204, '1\u2009204'], [18_320, '18.3k'], [2_100_000, '2.1M'], [NaN, '–']] as const) {
    assert.equal(count(value), text)
  }
  assert.equal(group(1_234_567), '1\u2009234\u2009567')
})

test('sizes and durations', () => {
  assert.equal(bytes(1023), '1023 B')
  assert.equal(bytes(1_048_576), '1.0 MiB')
  assert.equal(bytes(1_048_575), '1.0 MiB')
  assert.equal(duration(340), '340 ms')
  assert.equal(duration(4200), '4.2 s')
  assert.equal(duration(59_600), '1 min')
  assert.equal(duration(200_000), '3 min 20 s')
  assert.equal(duration(90_000_000), '1 d 1 h')
  assert.equal(ago(500), 'now')
  assert.equal(ago(61_000), '1 min ago')
})

test('SQL timestamps are UTC whatever the browser’s zone', () => {
  const at = Date.UTC(2017, 7, 26, 7, 47, 12, 345)
  for (const text of ['2017-08-26 07:47:12.345', '2017-08-26T07:47:12.345Z', '2017-08-26 07:47:12.345 UTC', '2017-08-26 07:47:12.345000']) {
    assert.equal(instant(text), at)
  }
  assert.equal(sqlTimestamp(at), '2017-08-26 07:47:12.345')
  assert.ok(Number.isNaN(instant('yesterday')))
})

test('hidden characters are written out', () => {
  assert.equal(visible('exe\u202egpj'), 'exe⟦U+202E⟧gpj')
  assert.equal(visible('a\u0000b\u200bc\ufeff'), 'a⟦U+0000⟧b⟦U+200B⟧c⟦U+FEFF⟧')
  assert.equal(visible('\ud800x'), '⟦U+D800⟧x')
  assert.equal(visible('❤️ 😀 é\n\t'), '❤️ 😀 é\n\t')
  assert.equal(visible('\u{e0041}'), '⟦U+E0041⟧')
  assert.equal(oneLine('a\nb\tc'), 'a↵b→c')
})

test('CSV tells NULL from an empty text', () => {
  assert.equal(csv(['a', 'b"'], [[null, ''], ['x,y', 'l\nm']]), 'a,"b"""\r\n,""\r\n"x,y","l\nm"\r\n')
})
