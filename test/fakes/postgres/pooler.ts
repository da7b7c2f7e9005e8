import { connect, createServer, type Socket } from 'node:net'

/** A connection pooler in transaction mode: its clients share one connection to the server, a transaction each in turn. */
export interface Pooler {
  readonly port: number
  close(): Promise<void>
}

interface Client {
  readonly socket: Socket
  /** What waits until the client has the connection. */
  readonly waiting: Buffer[]
  /** How many answers "ready for query" are still to come. */
  due: number
}

/** Poolers answer the beginning of a connection themselves: "authenticated", "ready for query". */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
const [query, sync, terminate, ready, idle] = [0x51, 0x53, 0x58, 0x5a, 0x49]

export async function poolerTo(target: number, login: { user: string; database: string }): Promise<Pooler> {
  const clients = new Set<Client>()
  let owner: Client | null = null
  const server = connect(target, '127.0.0.1')
  const toServer = await started(server, login)

  function next(): void {
    owner ??= [...clients].find(({ waiting }) => waiting.length > 0) ?? null
    for (const message of owner?.waiting.splice(0) ?? []) server.write(message)
  }
  toServer((message) => {
    // What nobody has asked for, such as a notification, goes to whoever has the connection, or to nobody.
    owner?.socket.write(message)
    if (message[0] !== ready || !owner) return
    owner.due--
    if (message[5] === idle && owner.due <= 0) owner = null
    next()
  })

  const front = createServer((socket) => {
    const client: Client = { socket, waiting: [], due: 0 }
    clients.add(client)
    socket.on('error', () => {})
    socket.on('close', () => {
      clients.delete(client)
      if (owner === client) owner = null
      next()
    })
    const split = splitter((message) => {
      if (message[0] === terminate) return void socket.end()
      if (message[0] === query || message[0] === sync) client.due++
      client.waiting.push(message)
      if (owner === null || owner === client) next()
    })
    let isNew = true
    socket.on('data', (bytes) => {
      if (isNew) {
        isNew = false
        socket.write(welcome)
        const length = bytes.readInt32BE(0)
        if (bytes.length > length) split(bytes.subarray(length))
      } else split(bytes)
    })
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const address = front.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      for (const { socket } of clients) socket.destroy()
      server.destroy()
      await new Promise((resolve) => front.close(resolve))
    },
  }
}

/** Begins the one connection; resolves with how to hear its messages. */
function started(server: Socket, { user, database }: { user: string; database: string }) {
  const fields = Buffer.from(`user\0${user}\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(fields.length + 8, 0)
  head.writeInt32BE(196_608, 4)
  let hear: (message: Buffer) => void = () => {}
  server.on('error', () => {})
  return new Promise<(listener: (message: Buffer) => void) => void>((resolve) => {
    hear = (message) => {
      if (message[0] === ready)
        resolve((listener) => {
          hear = listener
        })
    }
    const split = splitter((message) => hear(message))
    server.on('data', split)
    server.write(Buffer.concat([head, fields]))
  })
}

/** Cuts a stream into messages: a letter, a length that counts itself, and the rest. */
function splitter(each: (message: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 5) {
      const length = rest.readInt32BE(1) + 1
      if (rest.length < length) return
      each(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }
}
