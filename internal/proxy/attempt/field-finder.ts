/** What is found where a field begins: its value, that more has to come, or that it is another one. */
export type FieldMatch = { readonly value: string } | 'unfinished' | 'other'

/** What a FieldFinder looks for. */
export interface WantedField {
  /** The beginning of its name, with the quote before it. */
  readonly word: Buffer
  /** How much of it is kept until its end has come, in bytes. */
  readonly longest: number
  /** Looks at the text from the word on, a byte in each character. */
  match(text: string): FieldMatch
}

const nothing = Buffer.alloc(0)

/**
 * Finds a field of JSON in bytes as they come, also one that is cut between two chunks, without reading the JSON: a native
 * search for its name, and a look at what stands there. In a text of JSON its quotes are escaped, so that words which
 * somebody wrote are never taken for a field. It keeps what is unfinished, and nothing else.
 */
export class FieldFinder {
  readonly #wanted: WantedField
  #unfinished = nothing

  constructor(wanted: WantedField) {
    this.#wanted = wanted
  }

  /** Calls `found` with the value of each field that this chunk completes, until it returns false. */
  take(chunk: Buffer, found: (value: string) => boolean): void {
    const { word, longest } = this.#wanted
    const bytes = this.#unfinished.length === 0 ? chunk : Buffer.concat([this.#unfinished, chunk])
    this.#unfinished = nothing
    for (let at = bytes.indexOf(word); at !== -1; at = bytes.indexOf(word, at + word.length)) {
      const match = this.#wanted.match(bytes.toString('latin1', at, Math.min(at + longest, bytes.length)))
      if (match === 'unfinished') {
        if (bytes.length - at >= longest) continue
        this.#keep(bytes, at)
        return
      }
      if (match !== 'other' && !found(match.value)) return
    }
    const at = cutWord(bytes, word)
    if (at !== -1) this.#keep(bytes, at)
  }

  /** A copy, so that the rest of the chunk can go. */
  #keep(bytes: Buffer, from: number): void {
    this.#unfinished = Buffer.from(bytes.subarray(from))
  }
}

/** Where the word begins that is cut by the end of the bytes; -1 where none is. */
function cutWord(bytes: Buffer, word: Buffer): number {
  const at = bytes.lastIndexOf(word[0] as number)
  const rest = bytes.length - at
  return at !== -1 && rest < word.length && word.subarray(0, rest).equals(bytes.subarray(at)) ? at : -1
}
