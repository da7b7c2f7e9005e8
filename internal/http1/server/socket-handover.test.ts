import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { standstill } from '../../../test/fakes/standstill.ts'
import { readAsStream, readIntoBuffers } from './socket-handover.ts'

let server: Server
let accepted: Promise<Socket>

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true })
  accepted = once(server, 'connection').then(([socket]) => socket as Socket)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(() => {
  server.close()
})

const client = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
const open = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))

/** Reads everything into one buffer of that size. */
function lend(socket: Socket, size = 65_536) {
  const buffer = Buffer.alloc(size)
  const heard: string[] = []
  const lent = readIntoBuffers(socket, {
    buffer: () => buffer,
    take: (bytes, length) => heard.push(bytes.toString('latin1', 0, length)),
  })
  if (!lent) throw new Error('it cannot be lent')
  return { lent, heard }
}

it('what comes is read into the buffer that is given', async () => {
  const peer = client()
  const { lent, heard } = lend(await accepted, 4)
  peer.write('hello, world')
  await expect.poll(() => heard).toEqual(['hell', 'o, w', 'orld'])
  lent.write('answer')
  expect(String((await once(peer, 'data'))[0])).toBe('answer')
  peer.end()
  await once(lent, 'end')
  lent.end('last words')
  expect(String((await once(peer, 'data'))[0])).toBe('last words')
})

it('a pause holds the sender up', async () => {
  const peer = client()
  const { lent, heard } = lend(await accepted)
  lent.pause()
  peer.write('later')
  expect(await standstill(() => heard.length)).toBe(0)
  lent.resume()
  await expect.poll(() => heard).toEqual(['later'])
  peer.destroy()
})

it('the server counts the connection once, whatever is around it, until it is closed', async () => {
  const peer = client()
  const first = await accepted
  const { lent } = lend(first)
  expect(await open()).toBe(1)
  const usual = readAsStream(lent)
  expect(await open()).toBe(1)
  usual.destroy()
  await once(peer, 'close')
  expect(await open()).toBe(0)
  const closed = once(server, 'close')
  server.close()
  await closed
})

it('who knew the connection by the socket that lent its buffers is told that it is over', async () => {
  const peer = client()
  const { lent } = lend(await accepted)
  const closed = once(lent, 'close')
  const usual = readAsStream(lent)
  await closed
  peer.write('still there')
  usual.resume()
  expect(String((await once(usual, 'data'))[0])).toBe('still there')
  expect(await open()).toBe(1)
  usual.destroy()
})

it('that is read as usual again gives what comes, with what is put back in front', async () => {
  const peer = client()
  const { lent, heard } = lend(await accepted)
  peer.write('one ')
  await expect.poll(() => heard).toEqual(['one '])
  const usual = readAsStream(lent)
  usual.unshift(Buffer.from('one '))
  peer.end('two')
  let text = ''
  for await (const chunk of usual) text += String(chunk)
  expect(text).toBe('one two')
  expect(heard).toEqual(['one '])
})
