/** One answer as a client has read it. */
export interface Read {
  readonly status: number
  readonly head: string
  body: string
  /** Whether its end has come, as far as its frame says. */
  complete: boolean
  /** Only the end of the connection delimits it. */
  readonly isUntilEnd: boolean
  /** It says that the connection ends with it. */
  readonly isLast: boolean
}

/** Reads the answers of a connection as they come, strictly (RFC 9112), and knows which method each one answers. */
export class AnswerReader {
  readonly answers: Read[] = []
  /** For each answer, how many 1xx came before it. */
  readonly interims: number[] = [0]
  /** Why what has come is no answer. */
  fault: string | null = null
  /** What came behind a 101. */
  tunnel: string | null = null
  readonly #methods: readonly (string | null)[]
  #rest = ''
  #open: Read | null = null
  #missing = 0
  #frame: 'none' | 'length' | 'chunks' | 'end' = 'none'

  /** The methods of the requests; null where the server may not have understood which it was. */
  constructor(methods: readonly (string | null)[]) {
    this.#methods = methods
  }

  /** Whole answers so far. */
  get whole(): number {
    return this.answers.length - (this.#open ? 1 : 0)
  }

  /** Whole answers, with those that are `100 Continue`. */
  get heard(): number {
    return this.whole + (this.interims[this.answers.length] ?? 0)
  }

  get hasRest(): boolean {
    return this.#rest !== ''
  }

  push(text: string): void {
    if (this.tunnel !== null) {
      this.tunnel += text
      return
    }
    this.#rest = this.#rest === '' ? text : this.#rest + text
    while (this.fault === null && this.#step()) {}
  }

  /** The connection has ended in order. */
  end(): void {
    if (this.#open && this.#frame === 'end') {
      this.#open.complete = true
      this.#open = null
    }
  }

  #step(): boolean {
    if (this.#rest === '') return false
    if (!this.#open) return this.#head()
    if (this.#frame === 'chunks') return this.#chunk(this.#open)
    const taken = this.#frame === 'end' ? this.#rest : this.#rest.slice(0, this.#missing)
    this.#open.body += taken
    this.#rest = this.#rest.slice(taken.length)
    this.#missing -= taken.length
    if (this.#frame === 'length' && this.#missing === 0) this.#complete(this.#open)
    return true
  }

  #complete(read: Read): void {
    read.complete = true
    this.#open = null
  }

  #head(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1) {
      if (!'HTTP/1.1 '.startsWith(this.#rest.slice(0, 9))) this.fault = 'something that is no answer'
      return false
    }
    const head = this.#rest.slice(0, end + 2)
    const [, digits] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n(?:[!#$%&'*+.^_`|~\w-]+:[^\r\n\0]*\r\n)*$/.exec(head) ?? []
    if (digits === undefined) {
      this.fault = `a head that is none: ${JSON.stringify(head.slice(0, 200))}`
      return false
    }
    this.#rest = this.#rest.slice(end + 4)
    this.#begin(Number(digits), head)
    return true
  }

  #begin(status: number, head: string): void {
    if (status < 200 && status !== 101) {
      const at = this.answers.length
      this.interims[at] = (this.interims[at] ?? 0) + 1
      if (status !== 100) this.fault = `an informational ${status}`
      return
    }
    const method = this.#methods[this.answers.length]
    const lengths = [...head.matchAll(/\r\ncontent-length: *([^\r]*)/gi)]
    const isChunked = /\r\ntransfer-encoding: *chunked *\r\n/i.test(head)
    if (lengths.length > 1 || (lengths.length > 0 && isChunked)) this.fault = 'an answer with two frames'
    const isBare = method === 'HEAD' || method === null || status === 204 || status === 304 || status === 101
    this.#missing = Number(lengths[0]?.[1] ?? 0)
    this.#frame =
      method === null && status >= 400
        ? 'end'
        : isBare
          ? 'none'
          : isChunked
            ? 'chunks'
            : lengths.length > 0
              ? 'length'
              : 'end'
    const isUntilEnd = this.#frame === 'end'
    const isLast = isUntilEnd || /\r\nconnection: *(?:[^\r]*, *)?close *(?:,[^\r]*)?\r\n/i.test(head)
    const read: Read = { status, head, body: '', complete: false, isUntilEnd, isLast }
    this.answers.push(read)
    this.interims[this.answers.length] = 0
    this.#open = read
    if (this.#frame === 'none' || (this.#frame === 'length' && this.#missing === 0)) this.#complete(read)
    if (status !== 101) return
    this.tunnel = this.#rest
    this.#rest = ''
  }

  #chunk(read: Read): boolean {
    const line = this.#rest.indexOf('\r\n')
    if (line === -1) return false
    const size = this.#rest.slice(0, line)
    if (!/^[0-9a-f]+$/i.test(size)) {
      this.fault = `a chunk size that is none: ${JSON.stringify(size.slice(0, 40))}`
      return false
    }
    const length = Number.parseInt(size, 16)
    if (this.#rest.length < line + 4 + length) return false
    if (this.#rest.slice(line + 2 + length, line + 4 + length) !== '\r\n') {
      this.fault = 'a chunk without an end'
      return false
    }
    read.body += this.#rest.slice(line + 2, line + 2 + length)
    this.#rest = this.#rest.slice(line + 4 + length)
    if (length === 0) this.#complete(read)
    return true
  }
}
