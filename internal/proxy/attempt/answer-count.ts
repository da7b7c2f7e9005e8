import { type Tokens, tokensTold } from '../../dialect/dialect.ts'
import { headerIn } from '../../http1/http1.ts'
import { codingOf, isPlain } from '../upstream/codings.ts'
import { decodeBody } from './decode.ts'
import { IdFinder, type WantedIds } from './told-ids.ts'
import { UsageFinder } from './told-usage.ts'
import { Unpacking, type UnpackingListener } from './unpacking.ts'

/** What an answer told of itself; null where it did not. */
export interface Told {
  readonly tokens: Tokens | null
  readonly model: string | null
}

/** How an answer is to be counted. */
export interface Counting {
  /** Whether the answer has to name its model, because the request did not. */
  readonly wantsModel: boolean
  /** Which ids are looked for beside its usage; null: none. */
  readonly ids: WantedIds | null
  /** Called once, after the end of the answer. */
  done(told: Told): void
}

/** What a packed answer may be ahead of its reading, in bytes: it goes on to the client meanwhile, and is not read any more beyond. */
const mostAhead = 1_048_576

/** A packed answer that is here as a whole, and no longer than this, is unpacked at once: half of the work of doing it as it comes. */
const mostAtOnce = 16_384
const mostUnpacked = 262_144

/** In answers of another type there is nothing to read. */
const readable = /json|event-stream/i

/**
 * Counts the tokens of one answer that is passed on, and finds the ids of what its upstream keeps. It looks at the chunks as they pass, keeps none of them, and holds
 * nothing up: an answer that nobody else unpacks is unpacked on the side.
 */
export class AnswerCount implements UnpackingListener {
  readonly #counting: Counting
  readonly #coding: string | null
  /** How long the body is; not a number where that is not said. */
  readonly #length: number
  #finder: UsageFinder | null
  readonly #ids: IdFinder | null
  #unpacking: Unpacking | null = null
  #ahead = 0
  #isOver = false

  constructor(headers: readonly string[], counting: Counting) {
    const coding = headerIn(headers, 'content-encoding')
    this.#counting = counting
    this.#coding = coding === undefined || isPlain(coding) ? null : coding
    this.#length = Number(headerIn(headers, 'content-length') ?? Number.NaN)
    const isReadable = readable.test(headerIn(headers, 'content-type') ?? 'json')
    this.#finder = isReadable ? new UsageFinder(counting.wantsModel) : null
    this.#ids = counting.ids && new IdFinder(counting.ids)
  }

  /** Takes the next chunk with what it unpacks to: itself where nobody unpacked it, null where that cannot be. */
  take(chunk: Buffer, plain: Buffer | null): void {
    if (this.#finder === null) return
    if (plain === null) this.#finder = null
    else if (this.#coding === null || plain !== chunk) this.#read(plain)
    else if (chunk.length !== this.#length || !this.#unpackAtOnce(chunk, this.#coding))
      this.#unpack(chunk, this.#coding)
  }

  /** No more comes; `isWhole` unless the answer was cut. */
  end(isWhole: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#unpacking === null) this.#tell(isWhole)
    else this.#unpacking.end(() => this.#tell(isWhole))
  }

  unpacked(chunk: Buffer, plain: Buffer | null): void {
    this.#ahead -= chunk.length
    if (plain === null) this.#finder = null
    else this.#read(plain)
  }

  caughtUp(): void {}

  #read(plain: Buffer): void {
    if (this.#finder === null) return
    this.#finder.take(plain)
    this.#ids?.take(plain)
  }

  /** False when it is too long for that, or garbled. */
  #unpackAtOnce(chunk: Buffer, coding: string): boolean {
    if (chunk.length > mostAtOnce) return false
    const decoded = decodeBody(chunk, coding, mostUnpacked)
    if ('unreadable' in decoded) return false
    this.#read(decoded.bytes)
    return true
  }

  #unpack(chunk: Buffer, coding: string): void {
    this.#ahead += chunk.length
    if (codingOf(coding) === undefined || this.#ahead > mostAhead) {
      this.#finder = null
      return
    }
    this.#unpacking ??= new Unpacking(coding, this)
    this.#unpacking.push(chunk)
  }

  #tell(isWhole: boolean): void {
    this.#unpacking?.stop()
    const told = this.#finder?.told ?? null
    this.#counting.done({ tokens: told && tokensTold(told, isWhole), model: this.#finder?.model ?? null })
  }
}
