import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isSetUp, placesOf } from './places.ts'

const at = (data: string) => placesOf({ data, config: null }, {})

test('what may not be looked into is not taken for what was never set up', () => {
  const data = `/${'x'.repeat(300)}`
  expect(() => isSetUp(at(data))).toThrow(`${data} cannot be looked into`)
})

test('where there is nothing, or a file in the way, nothing is set up; with a master key it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-places-'))
  try {
    writeFileSync(join(folder, 'file'), '')
    expect([join(folder, 'gone'), join(folder, 'file'), folder].map((data) => isSetUp(at(data)))).toEqual([
      false,
      false,
      false,
    ])
    writeFileSync(join(folder, 'master.key'), '')
    expect(isSetUp(at(folder))).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
