import { createHash } from 'node:crypto'
import { type Asked, pieces } from './answers.ts'
import type { Plan } from './case.ts'
import type { Random } from './random.ts'

const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A short frame of a server. */
export function frame(first: number, payload: string): string {
  const { length } = payload
  const size = length < 126 ? String.fromCharCode(length) : `\x7e${String.fromCharCode(length >> 8, length & 0xff)}`
  return `${String.fromCharCode(first)}${size}${payload}`
}

/** Grants an upgrade, and says something in it. */
export function granting(random: Random, { nonce }: Asked, key: string): Plan {
  const accept = createHash('sha1')
    .update(key + acceptSalt)
    .digest('base64')
  const head = `HTTP/1.1 101 Switching Protocols\r\nX-Nonce: ${nonce}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
  const messages = Array.from({ length: random.between(0, 4) }, (_, at) =>
    frame(random.pick([0x81, 0x82, 0x89]), `{"n":"${nonce}","at":${at}}`),
  )
  const said = messages.join('') + (random.chance(0.5) ? frame(0x88, '\x03\xe8') : '')
  const ends = random.pick(['fin', 'rst', 'keep'] as const)
  return {
    when: 'body',
    moves: false,
    name: `101, ${messages.length} frames`,
    pieces: [head, ...pieces(random, said, 4)],
    ends,
    sees: { status: 101, body: said, may: 'broken' },
    own: [502],
  }
}
