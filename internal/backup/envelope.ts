import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { Refusal } from '../pool/pool.ts'

/*
 * A sealed stream: a line that names the format, a line of JSON about how the key is made of the passphrase, then frames of
 * AES-256-GCM with their lengths before them. The nonce of a frame is its number and whether it is the last one, and the
 * two lines are authenticated with each, so that frames can neither be left out, nor moved, nor cut off (the STREAM
 * construction of Hoang, Reyhanitabar, Rogaway and Vizár).
 */
const format = 'spillway-backup 1'
const frameBytes = 64 * 1024
const tagBytes = 16
const longestHead = 4 * 1024

/** 128 MiB for a third of a second: what OWASP asks for of scrypt. */
const cost = { n: 2 ** 17, r: 8, p: 1 }
/** A head may come from anybody: it may not make us take all memory. */
const mostMemory = 512 * 1024 * 1024

interface Head {
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: string
  /** Tells a wrong passphrase from a damaged file. */
  readonly check: string
}

/** The stream, sealed with the passphrase; memory is bounded by one frame. */
export async function* sealed(passphrase: string, plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const salt = randomBytes(16).toString('base64url')
  const { key, check } = await keyOf(passphrase, { ...cost, salt })
  const head = Buffer.from(`${format}\n${JSON.stringify({ ...cost, salt, check })}\n`)
  yield head
  let number = 0
  let held: Buffer | null = null
  for await (const piece of pieces(plain)) {
    if (held) yield frame(key, head, { number: number++, last: false, piece: held })
    held = piece
  }
  yield frame(key, head, { number, last: true, piece: held ?? Buffer.alloc(0) })
}

/** Refuses what is no sealed stream of this version, by its first line. */
export async function checkFormat(cipher: AsyncIterable<Buffer>): Promise<void> {
  formatIn(await new Reader(cipher).line())
}

function formatIn(first: string | null): void {
  if (first !== format) throw first?.startsWith('spillway-backup ') ? newer(first) : notOne()
}

/** What was sealed; throws a Refusal for a wrong passphrase, and for a file that is no backup, was cut short or was changed. */
export async function* opened(passphrase: string, cipher: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new Reader(cipher)
  const first = await reader.line()
  formatIn(first)
  const second = (await reader.line()) ?? ''
  const head = headIn(second)
  const { key, check } = await keyOf(passphrase, head)
  if (check !== head.check)
    throw new Refusal('invalid', 'the passphrase does not open this backup', 'it is the one that was given to backup')
  const bytes = Buffer.from(`${first}\n${second}\n`)
  for (let number = 0; ; number++) {
    const body = await reader.frame()
    const last = await reader.isAtEnd()
    yield openFrame(key, bytes, { number, last, body })
    if (last) return
  }
}

async function keyOf(
  passphrase: string,
  { n, r, p, salt }: Omit<Head, 'check'>,
): Promise<{ key: Buffer; check: string }> {
  const options = { N: n, r, p, maxmem: mostMemory }
  const master = await derive(passphrase.normalize('NFC'), Buffer.from(salt, 'base64url'), options)
  const part = (label: string) => Buffer.from(hkdfSync('sha256', master, '', `spillway backup ${label}`, 32))
  return { key: part('frames'), check: part('check').toString('base64url').slice(0, 11) }
}

/** Numbers that scrypt does not take are those of no backup. */
function derive(passphrase: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    try {
      scrypt(passphrase, salt, 32, options, (error, key) => (error ? reject(notOne()) : resolve(key)))
    } catch {
      reject(notOne())
    }
  })
}

function headIn(line: string): Head {
  let found: unknown
  try {
    found = JSON.parse(line)
  } catch {
    throw notOne()
  }
  if (!isHead(found)) throw notOne()
  return found
}

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false
  const { n, r, p, salt, check } = value as Partial<Record<keyof Head, unknown>>
  const numbers = [n, r, p].every((each) => Number.isSafeInteger(each) && Number(each) > 0)
  return numbers && Number(p) <= 16 && typeof salt === 'string' && typeof check === 'string'
}

function nonce(number: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64BE(BigInt(number), 3)
  bytes[11] = last ? 1 : 0
  return bytes
}

function frame(key: Buffer, head: Buffer, of: { number: number; last: boolean; piece: Buffer }): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(of.number, of.last))
  cipher.setAAD(head)
  const body = Buffer.concat([cipher.update(of.piece), cipher.final(), cipher.getAuthTag()])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

function openFrame(key: Buffer, head: Buffer, of: { number: number; last: boolean; body: Buffer }): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(of.number, of.last))
  decipher.setAAD(head)
  decipher.setAuthTag(of.body.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(of.body.subarray(0, -tagBytes)), decipher.final()])
  } catch {
    throw damaged()
  }
}

/** The stream in pieces of one frame's size. */
async function* pieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (; held.length >= frameBytes; held = held.subarray(frameBytes)) yield held.subarray(0, frameBytes)
  }
  if (held.length > 0) yield held
}

/** Lines and frames of a stream that may end anywhere. */
class Reader {
  readonly #source: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next line; null when there is none of a sensible length. */
  async line(): Promise<string | null> {
    while (!this.#held.includes(10)) {
      if (this.#held.length > longestHead || !(await this.#more())) return null
    }
    const end = this.#held.indexOf(10)
    const line = this.#held.subarray(0, end).toString('utf8')
    this.#held = this.#held.subarray(end + 1)
    return line
  }

  async frame(): Promise<Buffer> {
    const length = (await this.#take(4)).readUInt32BE()
    if (length < tagBytes || length > frameBytes + tagBytes) throw damaged()
    return this.#take(length)
  }

  async isAtEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#more())
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#held.length < length) if (!(await this.#more())) throw damaged()
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return taken
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next()
    if (done) return false
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
    return value.length > 0 || this.#more()
  }
}

/** The refusal of a backup that is not whole. */
export function damaged(): Refusal {
  return new Refusal(
    'failed',
    'the backup is damaged: it was cut short or changed',
    'nothing was restored; take another copy of it',
  )
}

function notOne(): Refusal {
  return new Refusal('invalid', 'the file is no backup of spillway')
}

function newer(line: string): Refusal {
  return new Refusal('conflict', `the backup was made by a newer version (${line})`, 'install that version first')
}
