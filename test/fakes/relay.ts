import { connect, createServer, type Socket } from 'node:net'

/** A relay to a port of this machine that a test can cut and freeze. */
export interface Relay {
  readonly port: number
  /** Breaks every connection, and accepts none until `restore`. */
  cut(): void
  /** Lets nothing through any more, and breaks nothing: as a network does that drops packets. */
  freeze(): void
  restore(): void
  close(): Promise<void>
}

/** Opens one. */
export async function relayTo(target: number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = createServer((near) => {
    near.on('error', () => {})
    if (state === 'cut') {
      near.destroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    far.on('error', () => near.destroy())
    near.on('close', () => {
      far.destroy()
      pairs.delete(pair)
    })
    far.on('close', () => near.destroy())
    near.pipe(far)
    far.pipe(near)
    if (state === 'frozen') hold(pair)
  })
  const hold = (pair: readonly [Socket, Socket]) => {
    for (const socket of pair) socket.pause()
    pair[0].unpipe(pair[1])
    pair[1].unpipe(pair[0])
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    port,
    cut() {
      state = 'cut'
      for (const [near, far] of pairs) {
        near.destroy()
        far.destroy()
      }
    },
    freeze() {
      state = 'frozen'
      for (const pair of pairs) hold(pair)
    },
    restore() {
      if (state === 'frozen') {
        for (const [near, far] of pairs) {
          near.pipe(far)
          far.pipe(near)
        }
      }
      state = 'open'
    },
    async close() {
      for (const [near] of pairs) near.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
