import { describe, expect, it } from 'vitest'
import type { EvidenceShape } from '../ops/ops.ts'
import { evidenceMarkdown } from './evidenceview.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const at = new Date(now).toISOString()

function found(paths: Partial<EvidenceShape['paths'][number]>[]): EvidenceShape {
  const path = {
    path: '/srv/jobs',
    bytes: 2_048,
    files: 3,
    unread: 0,
    bytesPerHour: 0,
    filesPerHour: 0,
    newest: null,
    oldest: null,
    largest: [],
    multiplier: null,
    sample: [],
    newestFiles: [],
    problem: null,
  }
  const disk = { freeBytes: null, reserveBytes: null, fullAt: null }
  return { at, since: at, paths: paths.map((each) => ({ ...path, ...each })), disk, breaker: null }
}

describe('evidence as Markdown', () => {
  it('says what to name where nothing has been looked at, in place of an empty table', () => {
    const text = evidenceMarkdown(found([]), now)
    expect(text).toContain('name a directory')
    expect(text).not.toContain('|')
  })

  it.each([
    [{ unread: 1 }, '- `/srv/jobs`: 1 directory could not be read; what is in them is not counted'],
    [{ unread: 1_200 }, '- `/srv/jobs`: 1,200 directories could not be read; what is in them is not counted'],
    [{ problem: 'missing' }, '- `/srv/jobs`: there is nothing at this path'],
  ])('says what of a path has not been seen: %j', (change, line) => {
    expect(evidenceMarkdown(found([change]), now).split('\n')).toContain(line)
    expect(evidenceMarkdown(found([{}]), now)).not.toContain('- `/srv/jobs`')
  })
})
