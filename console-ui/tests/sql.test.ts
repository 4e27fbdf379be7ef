import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableOf } from '../src/lib/catalog.ts'
import { averagesSql, grain, isHeartRateTable, latestSql, lines, linesSql, WINDOWS } from '../src/lib/heart.ts'
import { errorPosition, identifier, offsetOf, statementAt, statements } from '../src/lib/sql.ts'

test('statements end at semicolons that are not inside anything', () => {
  const text = "SELECT ';' -- ; no\nFROM \"a;b\"; /* ; */ SELECT 2;\n-- only a comment\n;"
  assert.deepEqual(
    statements(text).map((statement) => statement.text),
    ["SELECT ';' -- ; no\nFROM \"a;b\"", '/* ; */ SELECT 2'],
  )
  for (const { from, to, text: part } of statements(text)) assert.equal(text.slice(from, to), part)
  assert.deepEqual(statements("SELECT 'open"), [{ from: 0, to: 12, text: "SELECT 'open" }])
})

test('the statement at the cursor', () => {
  const text = 'SELECT 1;\n\nSELECT 2;\n'
  assert.equal(statementAt(text, 3)!.text, 'SELECT 1')
  assert.equal(statementAt(text, 9)!.text, 'SELECT 1')
  assert.equal(statementAt(text, 12)!.text, 'SELECT 2')
  assert.equal(statementAt(text, 99)!.text, 'SELECT 2')
  assert.equal(statementAt(' \n', 0), null)
})

test('names are quoted when they must be', () => {
  assert.equal(identifier('heartrate_iot_data'), 'heartrate_iot_data')
  assert.equal(identifier('order'), '"order"')
  assert.equal(identifier('Odd "Name'), '"Odd ""Name"')
})

test('the position an error names', () => {
  assert.deepEqual(errorPosition("COLUMN_NOT_FOUND: line 2:12: Column 'x' cannot be resolved"), { line: 2, column: 12 })
  assert.equal(errorPosition('no position'), null)
  assert.equal(offsetOf('ab\ncdef', 2, 3), 5)
  assert.equal(offsetOf('ab\ncdef', 1, 99), 2)
  assert.equal(offsetOf('ab', 9, 1), 2)
})

const table = tableOf(
  {
    Name: 'heartrate_iot_data',
    StorageDescriptor: {
      Location: 's3://b/p/',
      Columns: ['heartrate', 'userid', 'ratetype', 'datetime'].map((Name) => ({ Name, Type: 'string' })),
    },
  },
  'default',
)

test('the dashboard asks for its window only', () => {
  assert.ok(isHeartRateTable(table))
  assert.ok(!isHeartRateTable({ ...table, columns: [] }))
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const [minute, , , all] = WINDOWS
  for (const text of [linesSql(table, minute, now, grain(60_000)), averagesSql(table, minute, now), latestSql(table, minute, now)]) {
    assert.match(text, /FROM default\.heartrate_iot_data/)
    assert.match(text, /WHERE datetime >= TIMESTAMP '2026-01-02 03:03:05\.000'/)
  }
  assert.doesNotMatch(averagesSql(table, all, now), /WHERE/)
})

test('rows become lines: one time axis, holes where a user has no reading', () => {
  const by = grain(300_000)
  assert.equal(by.step, 2)
  const drawn = lines(
    [
      ['b', '2026-01-02 03:04:00.000', '3.0', '71.5'],
      ['a', '2026-01-02 03:04:00.000', '0', '60'],
      ['a', '2026-01-02 03:04:00.000', '3', '62'],
      [null, '2026-01-02 03:04:00.000', '3', '1'],
      ['c', '2026-01-02 03:04:00.000', '3', null],
    ],
    by,
  )
  const start = Date.UTC(2026, 0, 2, 3, 4) / 1000
  assert.deepEqual(drawn, { users: ['a', 'b'], times: [start, start + 6], values: [[60, 62], [null, 71.5]] })
})
