import fc from 'fast-check'
import { stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import type { Change } from '../edit/edit.ts'
import { editors, type Format } from './plan.ts'
import { digestOf, type FileRecord } from './record.ts'
import { restored } from './restore.ts'

const changes: Readonly<Record<'json' | 'toml', readonly Change[]>> = {
  json: [
    { path: ['env', 'BASE'], value: 'http://x' },
    { path: ['a', 'b', 'c'], value: 'k' },
  ],
  toml: [
    { path: ['provider'], value: 'ours' },
    { path: ['providers', 'ours'], value: { name: 'n', auth: { args: ['x'], timeout_ms: 5 } } },
  ],
}

function recorded(format: 'json' | 'toml', before: string | null): { record: FileRecord; written: string } {
  const { edit, at } = editors[format]
  const written = edit(before ?? '', changes[format])
  const values = changes[format].map(({ path }) => ({ path, digest: digestOf(at(written, path)) }))
  return { record: { path: '/f', format, before, after: digestOf(written), values }, written }
}

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean())
const name = fc.string().filter((text) => text !== '__proto__' && text !== 'added')
const document = fc.dictionary(
  fc.oneof(name, fc.constantFrom('env', 'a', 'provider', 'providers')),
  fc.oneof(
    scalar,
    fc.dictionary(fc.oneof(name, fc.constantFrom('BASE', 'b', 'ours')), scalar, { noNullPrototype: true }),
  ),
  { noNullPrototype: true },
)

describe.each<{ format: 'json' | ('toml' & Format); write(value: object): string }>([
  { format: 'json', write: (value) => JSON.stringify(value, null, 2) },
  { format: 'toml', write: stringify },
])('what was written into a $format file', ({ format, write }) => {
  const { edit, at } = editors[format]
  // A scalar in the way of a table is refused in TOML, and gives way in JSON.
  const texts = document.map(write).filter((text) => {
    try {
      edit(text, changes[format])
      return true
    } catch {
      return false
    }
  })

  test('goes and leaves every byte of before', () => {
    fc.assert(
      fc.property(texts, (before) => {
        const { record, written } = recorded(format, before)
        expect(restored(record, written)).toEqual({ text: before, isExact: true })
      }),
    )
  })

  test('goes from a file that has been added to, and leaves what was added and what was there', () => {
    fc.assert(
      fc.property(texts, scalar, (before, value) => {
        const { record, written } = recorded(format, before)
        const added: Change = { path: ['added'], value }
        const { text } = restored(record, edit(written, [added]))
        const expected = edit(before, [added])
        for (const top of ['added', 'env', 'a', 'provider', 'providers'])
          expect(at(text ?? '', [top]) ?? {}).toEqual(at(expected, [top]) ?? {})
      }),
    )
  })
})
