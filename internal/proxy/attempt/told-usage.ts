import type { ToldUsage } from '../../dialect/dialect.ts'
import { FieldFinder, type FieldMatch } from './field-finder.ts'

/** A usage object is some hundred bytes long. */
const longestUsage = 4_096
const longestModel = 256

/** The model is named at the beginning of an answer; behind so many bytes nobody looks for it any more. */
const modelWithin = 65_536

const usage = { word: Buffer.from('"usage'), longest: longestUsage, match: matchUsage }
const model = { word: Buffer.from('"model'), longest: longestModel, match: matchModel }

/** Finds in an answer, whole or a stream of events, what it says of its usage and, where that is wanted, of its model. */
export class UsageFinder {
  readonly #usage = new FieldFinder(usage)
  #model: FieldFinder | null
  #seen = 0
  #first: string | null = null
  #last = ''
  /** The model that the answer names; null until it has. */
  model: string | null = null

  constructor(wantsModel: boolean) {
    this.#model = wantsModel ? new FieldFinder(model) : null
  }

  /** The texts of the first and the last usage object; null where there is none. */
  get told(): ToldUsage | null {
    return this.#first === null ? null : { first: this.#first, last: this.#last }
  }

  take(chunk: Buffer): void {
    this.#usage.take(chunk, (text) => {
      this.#first ??= text
      this.#last = text
      return true
    })
    if (this.#model === null) return
    this.#model.take(chunk, (name) => {
      this.model = name
      return false
    })
    this.#seen += chunk.length
    if (this.model !== null || this.#seen >= modelWithin) this.#model = null
  }
}

const usageHead = /^"usage(?:Metadata)?"\s*:\s*(\{)?/
const tokenField = /(?:_tokens|TokenCount)"\s*:\s*\d/
/** As long as this, white space is somebody's game. */
const longestHead = 32

/** `"usage":{…}` and `"usageMetadata":{…}` with a number of tokens in it; not `"usage":null`, not the name of something else. */
function matchUsage(text: string): FieldMatch {
  const head = usageHead.exec(text)
  if (head === null) return isCut(text) ? 'unfinished' : 'other'
  const begins = head[0].length
  if (head[1] === undefined) return begins === text.length ? 'unfinished' : 'other'
  const end = endOfObject(text, begins - 1)
  if (end === -1) return 'unfinished'
  const value = text.slice(begins - 1, end)
  return tokenField.test(value) ? { value } : 'other'
}

const modelHead = /^"model(?:Version)?"\s*:\s*"([^"\\]*)("?)/

function matchModel(text: string): FieldMatch {
  const head = modelHead.exec(text)
  if (head === null) return isCut(text) ? 'unfinished' : 'other'
  if (head[2] === '"') return { value: head[1] as string }
  return head[0].length === text.length ? 'unfinished' : 'other'
}

/** Whether so little has come that the name may still become the one that is looked for. */
function isCut(text: string): boolean {
  return text.length < longestHead && /^"[A-Za-z]*(?:"\s*(?::\s*)?)?$/.test(text)
}

/** Where the object that begins at `from` ends; -1 where its end has not come. */
function endOfObject(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === quote) {
      at = endOfString(text, at)
      if (at === -1) return -1
    } else if (char === open) depth++
    else if (char === close && --depth === 0) return at + 1
  }
  return -1
}

/** Where the string that begins at `from` ends, at its quote; -1 where that has not come. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === backslash) at++
    else if (char === quote) return at
  }
  return -1
}

const quote = 34
const backslash = 92
const open = 123
const close = 125
