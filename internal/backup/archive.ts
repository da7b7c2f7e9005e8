import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { damaged } from './envelope.ts'

/** A file of an installation: its name in the data directory, and where it is now. */
export interface Member {
  readonly name: string
  readonly path: string
}

const longestLine = 1_024

/** The files one behind the other, each after a line of JSON with its name and size, and a line that says that all are there. */
export async function* packed(members: readonly Member[]): AsyncGenerator<Buffer> {
  for (const { name, path } of members) {
    const { size } = statSync(path)
    yield Buffer.from(`${JSON.stringify({ name, size })}\n`)
    // A file that grows meanwhile is taken as long as it was.
    if (size > 0) for await (const chunk of createReadStream(path, { end: size - 1 })) yield chunk as Buffer
  }
  yield Buffer.from(`${JSON.stringify({ end: true })}\n`)
}

/** Writes what was packed into the folder, each file for its owner only and forced to the disk; returns their names. */
export async function unpack(plain: AsyncIterable<Buffer>, folder: string): Promise<string[]> {
  const names: string[] = []
  let held = Buffer.alloc(0)
  let file: { readonly stream: WriteStream; left: number } | null = null
  let isWhole = false
  for await (const chunk of plain) {
    held = Buffer.concat([held, chunk])
    while (held.length > 0) {
      if (file) {
        const part = held.subarray(0, file.left)
        held = held.subarray(part.length)
        file.left -= part.length
        await written(file.stream, part)
        if (file.left === 0) file = await closed(file.stream)
        continue
      }
      const end = held.indexOf(10)
      if (end === -1 && held.length < longestLine) break
      const entry = entryIn(held.subarray(0, end).toString('utf8'))
      held = held.subarray(end + 1)
      if (entry === 'end') {
        isWhole = true
        continue
      }
      names.push(entry.name)
      const stream = createWriteStream(join(folder, entry.name), { mode: 0o600, flags: 'wx', flush: true })
      file = { stream, left: entry.size }
      if (entry.size === 0) file = await closed(stream)
    }
  }
  if (file) file.stream.destroy()
  if (!isWhole || held.length > 0) throw damaged()
  return names
}

async function written(stream: WriteStream, part: Buffer): Promise<void> {
  if (!stream.write(part)) await once(stream, 'drain')
}

async function closed(stream: WriteStream): Promise<null> {
  stream.end()
  await once(stream, 'close')
  return null
}

function entryIn(line: string): { name: string; size: number } | 'end' {
  let found: unknown
  try {
    found = JSON.parse(line)
  } catch {
    throw damaged()
  }
  if (typeof found !== 'object' || found === null) throw damaged()
  if ('end' in found) return 'end'
  const { name, size } = found as { name?: unknown; size?: unknown }
  const isPlain = typeof name === 'string' && /^[A-Za-z0-9][\w.-]{0,99}$/.test(name)
  if (!isPlain || !Number.isSafeInteger(size) || Number(size) < 0) throw damaged()
  return { name, size: Number(size) }
}
