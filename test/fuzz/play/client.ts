import { connect, type Socket } from 'node:net'
import { type Case, type Pause, streamOf } from '../cases/case.ts'
import { AnswerReader } from './answer-reader.ts'

/** All clients read into this one. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Plays the client of one case: call `turn` in each turn of the event loop until `isOver`. */
export class FuzzClient {
  readonly case: Case
  readonly reader: AnswerReader
  /** All that came. */
  heard = ''
  /** How far the stream has been sent. */
  sent = 0
  /** The server has ended the connection in order, or broken it. */
  ended: 'no' | 'fin' | 'rst' = 'no'
  /** It left before everything that is owed had come. */
  hasLeft = false
  isOver = false
  /** Grows whenever something happens. */
  activity = 0
  readonly #stream: string
  readonly #socket: Socket
  readonly #end: number
  #pauses: Pause[]
  #turns = 0
  #unread = 0

  constructor(one: Case, port: number) {
    this.case = one
    this.#stream = streamOf(one)
    this.#end = one.leaves.how === 'wait' ? this.#stream.length : Math.min(one.leaves.at, this.#stream.length)
    this.reader = new AnswerReader(methodsOf(one, this.#end))
    this.#pauses = one.pauses.filter(({ at }) => at < this.#end)
    this.#turns = this.#pauses[0]?.turns ?? 0
    const callback = (length: number, buffer: Uint8Array) => this.#take(buffer.subarray(0, length) as Buffer)
    const onread = { buffer: readBuffer, callback }
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, onread })
    this.#socket
      .on('connect', () => {
        this.activity++
        if (one.slow > 0) this.#socket.pause()
        this.#send()
      })
      .on('end', () => this.#ends('fin'))
      .on('error', () => this.#ends('rst'))
      .on('close', () => {
        this.activity++
        this.isOver = true
      })
  }

  /** Whether everything that can come has come, as far as the client can see. */
  get isSatisfied(): boolean {
    return (
      this.ended !== 'no' ||
      (this.sent >= this.#end && this.reader.whole >= this.case.requests.length && this.reader.tunnel === null)
    )
  }

  /** What is to happen in this turn; whether something did, or will without anybody else. */
  turn(): boolean {
    if (this.isOver || this.#socket.connecting) return !this.isOver
    if (this.hasLeft) return false
    let isBusy = this.#read()
    if (this.#pauses.length > 0) isBusy = this.#passPause() || isBusy
    else if (this.sent >= this.#end) isBusy = this.#depart() || isBusy
    return isBusy
  }

  /** Leaves at once, whatever is missing. */
  leave(how: 'fin' | 'rst' = 'fin'): void {
    this.hasLeft = true
    this.activity++
    if (how === 'rst') this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #take(chunk: Buffer): boolean {
    this.activity++
    const text = chunk.toString('latin1')
    this.heard += text
    this.reader.push(text)
    if (this.case.slow > 0) {
      this.#socket.pause()
      this.#unread = 0
    }
    return true
  }

  #ends(how: 'fin' | 'rst'): void {
    this.activity++
    if (this.ended === 'no') this.ended = how
    if (how === 'fin') this.reader.end()
  }

  /** A slow reader looks now and then; whether it will. */
  #read(): boolean {
    if (this.case.slow === 0 || this.ended !== 'no') return false
    if (!this.#socket.isPaused()) return false
    if (++this.#unread >= this.case.slow) this.#socket.resume()
    return true
  }

  #passPause(): boolean {
    const pause = this.#pauses[0] as Pause
    if (this.sent < pause.at) return false
    if (this.ended !== 'no') {
      this.#pauses = []
      return true
    }
    if (this.#turns > 0) {
      this.#turns--
      if (this.#turns > 0) return true
    }
    if (this.reader.whole < (pause.answers ?? 0) || this.reader.heard < (pause.heard ?? 0)) return false
    this.#pauses.shift()
    this.#turns = this.#pauses[0]?.turns ?? 0
    this.#send()
    return true
  }

  /** Sends up to the next pause. */
  #send(): void {
    const to = this.#pauses[0]?.at ?? this.#end
    if (to > this.sent && this.#socket.writable) this.#socket.write(this.#stream.slice(this.sent, to), 'latin1')
    this.sent = Math.max(this.sent, to)
    this.activity++
    if (this.sent >= this.#end && this.#pauses.length === 0) this.#turns = this.case.leaves.turns
  }

  #depart(): boolean {
    const { how } = this.case.leaves
    if (how === 'wait') {
      if (!this.isSatisfied) return false
      const last = this.reader.answers.at(-1)
      // An end that was announced is waited for.
      if (this.ended === 'no' && last?.isLast) return false
      this.leave(this.case.seed % 3 === 0 ? 'rst' : 'fin')
      return true
    }
    if (this.#turns > 0) {
      this.#turns--
      return true
    }
    if (how !== 'half') this.leave(how)
    else if (!this.#socket.writableEnded) this.#socket.end()
    else if (this.ended !== 'no') this.leave()
    else return false
    return true
  }
}

/** The methods of its requests as far as the server can know them. */
function methodsOf({ requests }: Case, end: number): (string | null)[] {
  let at = 0
  return requests.map(({ method, text, isSpoilt }) => {
    at += text.length
    return method === 'HEAD' && (isSpoilt || at > end) ? null : method
  })
}
