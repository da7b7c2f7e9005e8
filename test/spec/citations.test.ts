import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import {
  faultsOf,
  faultsOfDocument,
  filesBelow,
  type Grounds,
  headingsOf,
  isSource,
  proseOf,
  textOf,
} from '../support/citations.ts'

/** Its samples cite what there is not. */
const itself = 'test/spec/citations.test.ts'
const folders = ['internal', 'cmd', 'test', '.ci', 'runtime', 'docs', 'findings']
const files = new Set([...folders.flatMap(filesBelow), 'README.md', 'CHANGELOG.md'])
const { scripts } = JSON.parse(textOf('package.json'))
const faultTable = files.has('docs/faults.md') ? textOf('docs/faults.md') : ''
const rows = [...faultTable.matchAll(/^\| ([FA]\d{1,2}) \|.*$/gm)].map(([row, id = '']) => ({ id, row }))

const grounds: Grounds = {
  files,
  headings: (document) => headingsOf(textOf(document)),
  faults: new Set(rows.map(({ id }) => id)),
  incidents: new Set([...faultTable.matchAll(/^### Incident (\d):/gm)].map((match) => match[1] as string)),
}

describe('what comments and test titles cite', () => {
  it('is in the repository: documents, their sections, faults, incidents and files', () => {
    const sources = [...files].filter((path) => isSource(path) && path !== itself)
    expect(sources.length).toBeGreaterThan(500)
    const faults = sources.flatMap((path) =>
      proseOf(path, textOf(path)).flatMap((prose) =>
        faultsOf(path, prose, grounds).map((fault) => `${path}: ${fault}`),
      ),
    )
    expect(faults).toEqual([])
  })

  it.each([
    ['a document that is not there', '// as docs/nothing.md says', 'there is no document docs/nothing.md'],
    ['a section that is not there', '/** docs/signals.md, "Weather" */', 'docs/signals.md has no section "Weather"'],
    [
      'a section across lines',
      '/**\n * docs/signals.md,\n * "Weather"\n */',
      'docs/signals.md has no section "Weather"',
    ],
    ['a document by a mere name', '// DESIGN, "Replay"', 'DESIGN is no document of the repository'],
    ['a fault that is not listed', '// F99: nothing', 'docs/faults.md has no F99'],
    ['a fault in the title of a test', "it('A98: nothing', () => {})", 'docs/faults.md has no A98'],
    ['an incident that is not told', '/* the cure of incident 9 */', 'docs/faults.md has no incident 9'],
    ['a file that is not there', '// see `proxy/nothing.ts`', 'there is no proxy/nothing.ts'],
    ['a file that is elsewhere', '// see `internal/pool/handler.ts`', 'there is no internal/pool/handler.ts'],
  ])('is missed: %s', (_name, comment, fault) => {
    const path = 'internal/pool/select.ts'
    expect(proseOf(path, comment).flatMap((prose) => faultsOf(path, prose, grounds))).toContain(fault)
  })
})

describe('what documents name', () => {
  const documents = [...files].filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md')

  it('is in the repository: files, folders, links and scripts', () => {
    expect(documents.length).toBeGreaterThan(4)
    const known = new Set(Object.keys(scripts))
    const faults = documents.flatMap((path) =>
      faultsOfDocument(path, textOf(path), grounds, known).map((fault) => `${path}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  it.each([
    ['a file', 'see `proxy/nothing.ts`', 'there is no proxy/nothing.ts'],
    ['a folder', 'see `internal/nothing/`', 'there is no internal/nothing/'],
    ['a link', '[x](docs/nothing.md)', 'there is no docs/nothing.md'],
    ['the section of a link', '[x](docs/signals.md#weather)', 'docs/signals.md has no #weather'],
    ['a script', 'npm run nothing', 'there is no script nothing'],
  ])('is missed: %s', (_name, text, fault) => {
    expect(faultsOfDocument('README.md', text, grounds, new Set(['test']))).toEqual([fault])
  })

  it('a fault or attack is named in each of the test files of its row', () => {
    expect(rows.length).toBeGreaterThan(40)
    const faults = rows.flatMap(({ id, row }) => {
      const named = [...row.matchAll(/`(\S+?\.test\.ts)`/g)].map((match) => match[1] as string)
      if (named.length === 0) return [`${id} names no test`]
      return named.filter((path) => !new RegExp(`\\b${id}\\b`).test(textOf(path))).map((path) => `${path} has no ${id}`)
    })
    expect(faults).toEqual([])
  })
})

describe('the layers in docs/architecture.md', () => {
  const { forbidden } = createRequire(import.meta.url)('../../.ci/dependency-cruiser.cjs')
  const rules: { name: string; comment: string }[] = forbidden
  const page = textOf('docs/architecture.md')

  it('may import what dependency-cruiser lets them, and are all of them', () => {
    const enforced = rules.flatMap(({ name, comment }) => {
      const [, folder, targets = ''] = /^(\w+) may import (.*)$/.exec(comment) ?? []
      return name.endsWith('-may-import') && folder ? [[folder, targets.replace('nothing internal', 'nothing')]] : []
    })
    const told = [...page.matchAll(/^\| `internal\/(\w+)\/` \| .* \| (.*) \|$/gm)].map((row) => row.slice(1))
    expect(sorted(told.filter(([, targets]) => targets !== 'everything'))).toEqual(sorted(enforced))
  })

  it('stand in the proxy in the order that dependency-cruiser enforces', () => {
    const order = rules.flatMap(({ name }) => /^proxy-(\w+)-downwards$/.exec(name)?.[1] ?? [])
    expect(order.length).toBeGreaterThan(4)
    expect(page).toContain(`\n${order.join(' → ')}\n`)
  })

  function sorted(rows: readonly (readonly string[])[]): string[] {
    return rows.map(([folder, targets = '']) => `${folder}: ${targets.split(', ').sort().join(', ')}`).sort()
  }
})
