// The official Node SDK against the emulator: parameters of its own choosing, lists, transactions, conflicts, errors.

import assert from 'node:assert/strict'

import { Driver } from '@ydbjs/core'
import { YDBError } from '@ydbjs/error'
import { query } from '@ydbjs/query'
import { List } from '@ydbjs/value/list'
import { Int64, Uint64, Utf8 } from '@ydbjs/value/primitive'
import { Struct } from '@ydbjs/value/struct'

const driver = new Driver(process.argv[2])
await driver.ready(AbortSignal.timeout(10_000))
const sql = query(driver)

await sql`CREATE TABLE items (id Utf8 NOT NULL, n Int64 NOT NULL, note Utf8, PRIMARY KEY (id))`
await sql`UPSERT INTO items (id, n, note) VALUES (${new Utf8('a')}, ${new Int64(1n)}, ${'x'})`
// Plain objects would become optional cells, which columns that are NOT NULL refuse.
const row = (id, n) => new Struct({ n: new Int64(n), id: new Utf8(id) })
const rows = new List(row('b', 2n), row('c', 3n))
await sql`DECLARE $rows AS List<Struct<id: Utf8, n: Int64>>; INSERT INTO items SELECT * FROM AS_TABLE($rows)`
  .parameter('rows', rows)
const page = sql`SELECT id, n, note FROM items WHERE id > $after ORDER BY id LIMIT $n`
const [found] = await page.parameter('after', new Utf8('')).parameter('n', new Uint64(2n))
assert.deepEqual(found, [{ id: 'a', n: 1n, note: 'x' }, { id: 'b', n: 2n, note: null }])
const [first, second] = await sql`SELECT 1 AS one; SELECT id FROM items WHERE id = ${'c'}`
assert.deepEqual([first, second], [[{ one: 1 }], [{ id: 'c' }]])

// The SDK tries again after ABORTED.
const count = () => sql.begin({ idempotent: true }, async (tx) => {
  const [[{ n }]] = await tx`SELECT n FROM items WHERE id = ${'a'}`
  await tx`UPDATE items SET n = ${new Int64(n + 1n)} WHERE id = ${'a'}`
})
await Promise.all(Array.from({ length: 10 }, count))
assert.deepEqual(await sql`SELECT n FROM items WHERE id = ${'a'}`, [[{ n: 11n }]])

// What must not stay.
await assert.rejects(sql.begin(async (tx) => {
  await tx`UPSERT INTO items (id, n) VALUES ('gone', 1)`
  throw new Error('given up')
}), (error) => error.cause?.message === 'given up')
assert.deepEqual(await sql`SELECT n FROM items WHERE id = 'gone'u`, [[]])

for (const [code, refused] of [
  [400120, sql`INSERT INTO items (id, n) VALUES ('a', 1)`],
  [400070, sql`SELECT id FROM nothing WHERE id = 'a'`],
  [400080, sql`SELECT id FROM items`],
  [400010, sql`UPSERT INTO items (id) VALUES ('a')`],
]) {
  await assert.rejects(async () => refused, (error) => {
    const found = error instanceof YDBError ? error : error.cause
    assert.equal(found.code, code, String(error))
    return true
  })
}
driver.close()
console.log('"passed"')
