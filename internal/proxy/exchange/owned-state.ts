import { createHash } from 'node:crypto'
import {
  asksResponse,
  continuation,
  continuedIn,
  idInPath,
  isAboutUploads,
  uploadFields,
  uploadsIn,
} from '../../dialect/dialect.ts'
import type { Lease, NamedState } from '../../engine/engine.ts'
import type { HeldBody, RequestBody } from '../../http1/http1.ts'
import type { WantedIds } from '../attempt/told-ids.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'

/**
 * The state that a request names and that one account alone has; null when it names none. A body is read only where the name
 * of such a field stands in it, and for files and containers only where some are known (`knowsUploads`).
 */
export function stateNamedBy(
  { request, target }: AdmittedRequest,
  knowsUploads: boolean,
  body: RequestBody,
): NamedState | null {
  const method = request.method ?? 'GET'
  const inPath = idInPath(target.path)
  if (inPath !== null) return { digests: [digestOf(inPath)], isResent: false }
  if (!body.held || body.bytes.length === 0) return null
  if (asksResponse(method, target.path) && holds(body.bytes, continuation)) {
    const id = continuedIn(textOf(body.bytes))
    if (id !== null) return { digests: [digestOf(id)], isResent: true }
  }
  if (!knowsUploads || !uploadFields.some((field) => holds(body.bytes, field))) return null
  return { digests: uploadsIn(textOf(body.bytes)).map(digestOf), isResent: false }
}

/** Which ids an answer of the lease's member is searched for, because that member will have to serve what names them; null: none. */
export function wantedIds(
  { engine }: ProxyContext,
  { request, pool, target, upgrade }: AdmittedRequest,
  lease: Lease,
): WantedIds | null {
  if (upgrade || !engine.hasSeveralOwners(pool)) return null
  const isUpload = isAboutUploads(target.path)
  if (!isUpload && !asksResponse(request.method ?? 'GET', target.path)) return null
  return { all: isUpload, named: (id) => engine.owns(lease, digestOf(id), isUpload) }
}

/** Half of a digest tells as many ids apart as can ever be kept. */
function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 22)
}

function textOf(bytes: HeldBody): string {
  return bytes.text ?? bytes.whole()?.toString('latin1') ?? ''
}

/** Whether the word stands in the body, also where two of its pieces meet. */
function holds(bytes: HeldBody, word: string): boolean {
  const { text } = bytes
  if (text !== null) return text.includes(word)
  let before: Buffer | null = null
  for (const part of bytes.parts) {
    if (part.includes(word)) return true
    const edge = word.length - 1
    if (before && Buffer.concat([before.subarray(-edge), part.subarray(0, edge)]).includes(word)) return true
    before = part
  }
  return false
}
