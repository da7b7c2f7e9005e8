import { connect, type Socket } from 'node:net'

/** How a crowd of workers behaves. */
export interface Crowd {
  readonly origin: string
  /** The bytes of one request, or of the n-th. */
  readonly request: string | ((count: number) => string)
  /** Each worker has one connection and one request under way at a time. */
  readonly workers: number
  /** Requests in all; the workers share them. */
  readonly total: number
  /** Called after each answer with how many there have been; its worker goes on when that is over. */
  readonly after?: (answered: number) => Promise<void> | undefined
}

/** What came of a crowd's requests. */
export interface Outcome {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests that were written and never answered. */
  readonly unanswered: number
}

/** A POST with the client key to `path`, as bytes. */
export function post(path: string, key: string, body = '{"model":"gpt-5","messages":[]}'): string {
  const head = ['Host: spillway', `Authorization: Bearer ${key}`, 'Content-Type: application/json']
  return `POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Sends requests over raw connections as fast as answers with a Content-Length come, which costs far less than a client library. */
export async function crowd({ origin, request, workers, total, after = () => undefined }: Crowd): Promise<Outcome> {
  const { hostname, port } = new URL(origin)
  const statuses: Record<string, number> = {}
  let left = total
  let answered = 0
  let unanswered = 0

  const work = () =>
    new Promise<void>((resolve) => {
      let socket: Socket
      let answer = ''
      let waiting = false
      const next = () => {
        if (left === 0) return socket.end()
        left--
        waiting = true
        socket.write(typeof request === 'string' ? request : request(left))
      }
      const take = () => {
        const head = answer.indexOf('\r\n\r\n')
        if (head === -1) return
        const length = Number(/^content-length: (\d+)/im.exec(answer.slice(0, head))?.[1] ?? 0)
        if (Buffer.byteLength(answer, 'latin1') < head + 4 + length) return
        const status = answer.slice(9, 12)
        const closes = /^connection: close/im.test(answer.slice(0, head))
        statuses[status] = (statuses[status] ?? 0) + 1
        answer = ''
        waiting = false
        const goOn = closes ? () => socket.end() : next
        const pause = after(++answered)
        if (pause) void pause.then(goOn)
        else goOn()
      }
      socket = connect(Number(port), hostname)
      socket.on('connect', next)
      socket.on('data', (bytes) => {
        answer += bytes.toString('latin1')
        take()
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        if (waiting) unanswered++
        resolve()
      })
    })

  await Promise.all(Array.from({ length: workers }, work))
  return { statuses, unanswered }
}
