import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { refusalOf, sqliteFor } from '#supported'
import { Sqlite } from './driver.ts'

describe('which better-sqlite3 a Node loads', () => {
  it.each([
    ['18.20.8', '9', null],
    ['20.18.3', '9', null],
    ['20.19.0', '9', 12],
    ['20.20.2', '9', 12],
    ['21.7.3', '9', null],
    ['22.13.1', '9', null],
    ['22.14.0', '10', 13],
    ['23.5.0', '9', null],
    ['24.0.0', '10', 13],
    ['26.12.1', '10', 13],
    ['28.0.0', '11', 13],
  ])('Node %s with Node-API %s: %s', (node, napi, version) => {
    expect(sqliteFor({ node, napi })).toBe(version)
  })

  test('a Node that runs none is refused in a sentence that names it and what to install', () => {
    expect(refusalOf({ node: '18.20.8', napi: '9' })).toMatch(/20\.19 or newer.*this is 18\.20\.8.*install/)
    expect(refusalOf(process.versions)).toBeNull()
  })

  test('the one that is loaded opens a database', () => {
    expect(new Sqlite(':memory:').prepare('select 1 + 1').pluck().get()).toBe(2)
  })

  // npm takes `gypfile` from the lock file where there is one, not from the package, and compiles what it does not say.
  test('the lock file says that better-sqlite3 is not to be compiled; `npm install` drops it: put it back', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
    expect(packages['node_modules/better-sqlite3']).toMatchObject({ gypfile: false })
  })
})
