import type { Clock } from '../../clock/clock.ts'
import type { OutgoingRequest, ResponseListener, Sending, Transport } from '../../http1/http1.ts'
import type { Held } from '../attempt/reading.ts'

const deadlineMs = 10_000
const maxBody = 65_536

/** A short answer, or the beginning of a long one. */
interface Beginning {
  readonly status: number
  readonly headers: string[]
  readonly held: Held
}

/** The answer to a request of our own, up to its first 64 KiB; rejects without one in 10 s. */
export function beginningOf(transport: Transport, request: OutgoingRequest, clock: Clock): Promise<Beginning> {
  return new Promise((resolve, reject) => {
    let head = { status: 0, headers: [] as string[] }
    let sending: Sending | null = null
    const chunks: Buffer[] = []
    let bytes = 0
    const forget = clock.after(deadlineMs, () => {
      sending?.abort(listener)
      reject(new Error('no answer in time'))
    })
    const end = (complete: boolean) => {
      forget()
      resolve({ ...head, held: { parts: chunks, bytes, complete } })
    }
    const listener: ResponseListener = {
      onSend(now) {
        sending = now
      },
      onHead(status, headers) {
        head = { status, headers }
      },
      onData(chunk) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > maxBody) {
          sending?.abort(listener)
          end(false)
        }
        return true
      },
      onComplete: () => end(true),
      onError(error) {
        forget()
        reject(error)
      },
    }
    transport.send(request, listener)
  })
}
