import { FieldFinder, type FieldMatch } from './field-finder.ts'

/** A response tells its id at its beginning; behind so many bytes nobody looks for it any more. */
const within = 65_536

const longest = 320
const id = { word: Buffer.from('"id"'), longest, match }
/** What a batch has written, beside what it has read. */
const fileId = { word: Buffer.from('file_id"'), longest, match }

/** Which ids of an answer are wanted, and who is told them, as soon as they have gone by. */
export interface WantedIds {
  /** Whether all of them are: else the first one, which is the answer's own. */
  readonly all: boolean
  named(id: string): void
}

/** Finds in an answer, whole or a stream of events, the ids of what its upstream keeps. */
export class IdFinder {
  readonly #wanted: WantedIds
  readonly #finders: readonly FieldFinder[]
  #seen = 0
  #isOver = false

  constructor(wanted: WantedIds) {
    this.#wanted = wanted
    this.#finders = (wanted.all ? [id, fileId] : [id]).map((field) => new FieldFinder(field))
  }

  take(chunk: Buffer): void {
    if (this.#isOver) return
    const { all } = this.#wanted
    for (const finder of this.#finders) {
      finder.take(chunk, (found) => {
        if (found !== '') this.#wanted.named(found)
        this.#isOver = !all
        return all
      })
    }
    this.#seen += chunk.length
    if (!all && this.#seen >= within) this.#isOver = true
  }
}

const head = /^(?:"id|file_id)"\s*(?::\s*(?:"([^"\\]{0,256})("?))?)?/

function match(text: string): FieldMatch {
  const [whole = '', value, end] = head.exec(text) ?? []
  if (end === '"') return { value: value as string }
  return whole.length === text.length ? 'unfinished' : 'other'
}
