import type { ModelFamily } from '../../pool/pool.ts'
import { answer } from '../answers.ts'
import { anthropicExhausted } from '../exhausted.ts'
import { atDate, latest, latestExhausted, usedUp } from '../hints.ts'
import { injectInto, probeFor } from '../offer.ts'
import type { Dialect, LocalError } from '../port.ts'
import type { Offer, Profile } from '../profile.ts'
import { classifyResponse, decide, type Hint, tableOf } from '../rows.ts'
import { failedResult, failureWords, fields, readJson, rootOf, signalOfEvent, text } from '../signal.ts'
import { inOrder } from '../words/words.ts'
import { isEmptyBlock } from './empty.ts'
import { openaiHint } from './openai.ts'

const prefix = 'anthropic-ratelimit-'

/** The latest of Retry-After and of the resets of the limits that are used up, in Anthropic's headers or in common ones. */
export const anthropicHint: Hint = (signal, now) => {
  const { header, headerNames } = signal
  const limits = headerNames().flatMap((name) => /^anthropic-ratelimit-(?!unified-)(.+)-reset$/.exec(name)?.[1] ?? [])
  const windows = limits.map((limit) => ({
    exhausted: usedUp(header(`${prefix}${limit}-remaining`)),
    at: atDate(header(`${prefix}${limit}-reset`), now),
  }))
  return latest([openaiHint(signal, now), latestExhausted(windows)])
}

const lifecycle = new Set(['message_start', 'content_block_stop', 'ping'])

/** A dialect with Anthropic's bodies: errors, streams, exhaustion, the family of the model in the body. */
export function anthropicShaped(profile: Profile, offer: Offer): Dialect {
  const { hint = anthropicHint, zone = null, errorInOk = false } = profile
  const table = tableOf(inOrder(profile), { hint, zone, errorInOk })
  return {
    provider: profile.provider,
    shape: 'anthropic',
    defaultBaseUrl: offer.baseUrl,
    keyHeaders: offer.keyHeaders ?? ['authorization', 'x-api-key'],
    inject: profile.inject ?? injectInto(offer.secretHeader),
    model: profile.model ?? ((_path, body) => familyOf(text(fields(body).model))),
    errorInOk,
    failureWords: failureWords(errorInOk),
    classify: (facts, now) => classifyResponse(table, facts, now),
    classifyEvent(event, now, oauth = false) {
      const root = rootOf(readJson(event.data))
      const type = text(root.type) || event.event || ''
      if (type === 'error' || failedResult(root) !== null) {
        return decide(table, signalOfEvent(root, fields(root.error), oauth), now)
      }
      return lifecycle.has(type) || isEmptyBlock(root) ? 'lifecycle' : 'content'
    },
    error: ({ status, code, message, retryAfterSeconds }) => {
      const error = { type: errorType(status), code, message }
      return answer(status, { type: 'error', error }, retryAfterSeconds)
    },
    exhausted: anthropicExhausted,
    probe: probeFor(offer),
    // Claude Code opens with such a HEAD of `/` or `/api/hello` and only wants to see that somebody is there.
    local: (method, path, hasKey) =>
      method === 'HEAD' && (!hasKey || /^\/?(?:\?|$)/.test(path)) ? { status: 200, headers: {}, body: '' } : null,
  }
}

/** `opus` of `claude-opus-4-1`, `sonnet` of `claude-3-5-sonnet-20241022`; the whole name where it holds no family. */
function familyOf(model: string): ModelFamily | null {
  return /claude[-.\d]*-([a-z]+)/i.exec(model)?.[1]?.toLowerCase() ?? (model || null)
}

function errorType(status: LocalError['status']): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 503:
    case 529:
      return 'overloaded_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error'
  }
}
