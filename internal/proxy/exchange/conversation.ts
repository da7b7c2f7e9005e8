import { createHash } from 'node:crypto'
import { conversationInBody, conversationInHeaders, conversationInText } from '../../dialect/dialect.ts'
import type { RequestBody } from '../../http1/http1.ts'
import type { AdmittedRequest } from './context.ts'
import { endsOf } from './stream-request.ts'

/** A digest of the conversation that the request belongs to, in its pool; null when nothing tells it. A long body is read only where no header names one. */
export function conversationOf({ request, pool }: AdmittedRequest, body: RequestBody): string | null {
  const id = conversationInHeaders(request.rawHeaders) ?? inBody(body)
  return id === null ? null : createHash('sha256').update(`${pool.name} ${id}`).digest('base64url')
}

function inBody(body: RequestBody): string | null {
  if (!body.held || body.bytes.length === 0) return null
  for (const text of endsOf(body.bytes)) {
    const id = conversationInText(text)
    if (id !== null) return id
  }
  return conversationInBody(parsed(body.bytes.whole()))
}

function parsed(bytes: Buffer | null): unknown {
  try {
    return bytes && JSON.parse(bytes.toString())
  } catch {
    return null
  }
}
