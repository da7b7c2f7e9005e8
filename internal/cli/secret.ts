import { readFileSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { Refusal } from '../ops/client.ts'
import { Interrupted } from './exit.ts'
import type { CliIo } from './port.ts'

/** More than any API key or token: whoever pipes more has piped the wrong file. */
const maxSecretBytes = 64 * 1024

/**
 * A secret from stdin without the line end after it: typed unseen where stdin is a terminal, else read to the end. It is
 * never taken from the command line, which every process of the machine can read.
 */
export async function readSecret(io: CliIo, prompt: string): Promise<string> {
  const text = io.stdin.isTTY ? await typed(io, prompt) : await piped(io)
  const secret = text.replace(/\r?\n$/, '')
  if (secret.trim() !== '') return secret
  if (io.stdin.isTTY)
    throw new Refusal(
      'invalid',
      'no secret was typed',
      'paste it at the question, where it is not shown, and press Enter',
    )
  throw new Refusal('invalid', 'no secret was given', 'pipe it: printf %s "$KEY" | spillway cred …')
}

/** Shorter ones are found by trying. */
const shortestPassphrase = 12

/** A passphrase from the first line of a file, or typed unseen, twice when it is new. */
export async function readPassphrase(io: CliIo, from: { file: string | null; isNew: boolean }): Promise<string> {
  const given = from.file === null ? await asked(io, from.isNew) : firstLine(from.file)
  if (from.isNew && given.length < shortestPassphrase)
    throw new Refusal(
      'invalid',
      `a passphrase has ${shortestPassphrase} characters or more`,
      'four or five words are a good one',
    )
  return given
}

async function asked(io: CliIo, isNew: boolean): Promise<string> {
  if (!io.stdin.isTTY)
    throw new Refusal(
      'invalid',
      'the passphrase is asked for on a terminal, and this is none',
      'give it with --passphrase-file',
    )
  const given = await typed(io, 'passphrase: ')
  if (isNew && given !== (await typed(io, 'once more: ')))
    throw new Refusal('invalid', 'that was not the same passphrase twice')
  return given
}

function firstLine(file: string): string {
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
      throw new Refusal('invalid', `${file} can be read by other users`, `chmod 600 ${file}`)
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('not-found', `the passphrase cannot be read: ${file} does not exist or is closed to you`)
  }
}

async function piped(io: CliIo): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxSecretBytes)
      throw new Refusal('invalid', `stdin holds more than ${maxSecretBytes} bytes, which is no secret`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** readline edits the line and echoes it to a stream that shows nothing. */
function typed(io: CliIo, prompt: string): Promise<string> {
  io.stderr.write(prompt)
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const line = createInterface({ input: io.stdin, output: unseen, terminal: true, historySize: 0 })
  return new Promise((resolve, reject) => {
    let answer: string | null = null
    line.on('SIGINT', () => {
      reject(new Interrupted('interrupted'))
      line.close()
    })
    line.on('close', () => {
      io.stderr.write('\n')
      if (answer === null) reject(new Refusal('failed', 'no secret was typed'))
      else resolve(answer)
    })
    line.question('', (given) => {
      answer = given
      line.close()
    })
  })
}
