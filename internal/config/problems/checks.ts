import type { Clash, Settled } from './clash.ts'
import { guardClashes } from './guardchecks.ts'

/** Contradictions that stop a start; `whole` makes a path of the guard absolute. */
export function clashes(settled: Settled, whole: (path: string) => string): readonly Clash[] {
  return [
    ...together(settled, 'server.tls.certFile', 'server.tls.keyFile'),
    ...together(settled, 'store.tls.certFile', 'store.tls.keyFile'),
    ...onlyOne(settled, 'notices.telegram.botTokenFile', 'notices.telegram.botTokenEnv'),
    ...onlyOne(settled, 'notices.webhook.secretFile', 'notices.webhook.secretEnv'),
    ...adminNeedsToken(settled),
    ...totalHoldsOneBody(settled),
    ...webIsGuarded(settled),
    ...guardClashes(settled, whole),
  ]
}

/** What works but is hardly meant. */
export function oddities(settled: Settled): readonly Clash[] {
  const has = (key: string) => isGiven(settled(key))
  const token = has('notices.telegram.botTokenFile') || has('notices.telegram.botTokenEnv')
  const chats = settled('notices.telegram.chatIds')
  const chatting = Array.isArray(chats) && chats.length > 0
  const secret = has('notices.webhook.secretFile') || has('notices.webhook.secretEnv')
  return [
    ...say(
      isOpen(settled('server.listen')) && !has('server.tls.certFile'),
      'server.listen',
      'is reachable from other machines, without encryption',
      'set server.tls.certFile and keyFile, or put a proxy with TLS before it',
    ),
    ...say(token && !chatting, 'notices.telegram.chatIds', 'is empty: nobody is told', 'add the id of a chat'),
    ...say(
      chatting && !token,
      'notices.telegram.chatIds',
      'has no effect without a bot token',
      'set botTokenFile or botTokenEnv',
    ),
    ...say(
      secret && !has('notices.webhook.url'),
      'notices.webhook.url',
      'is missing: nothing is sent',
      'set the URL of the webhook',
    ),
    ...['passwordFile', 'tls.caFile', 'tls.certFile', 'tls.keyFile'].flatMap((key) =>
      say(
        has(`store.${key}`) && String(settled('store.url')).startsWith('sqlite:'),
        `store.${key}`,
        'has no effect with a SQLite database',
        'set store.url: postgres://…',
      ),
    ),
  ]
}

/** Whether an address is one of other interfaces than this machine's own. */
function isOpen(address: unknown): boolean {
  const host = typeof address === 'object' && address !== null && 'host' in address ? String(address.host) : 'localhost'
  return !isLocal(host)
}

function isLocal(host: string): boolean {
  return /^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host)
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined
}

function say(when: boolean, key: string, message: string, hint: string | null): readonly Clash[] {
  return when ? [{ key, message, hint }] : []
}

function together(settled: Settled, one: string, other: string): readonly Clash[] {
  const [first, second] = [settled(one), settled(other)]
  const last = (key: string) => key.slice(key.lastIndexOf('.') + 1)
  return [
    ...say(isGiven(first) && second === null, one, `needs ${last(other)}`, `set both or neither`),
    ...say(first === null && isGiven(second), other, `needs ${last(one)}`, `set both or neither`),
  ]
}

function onlyOne(settled: Settled, one: string, other: string): readonly Clash[] {
  const both = isGiven(settled(one)) && isGiven(settled(other))
  return say(both, other, `contradicts ${one.slice(one.lastIndexOf('.') + 1)}`, 'keep one of the two')
}

function adminNeedsToken(settled: Settled): readonly Clash[] {
  const open = isGiven(settled('admin.listen')) && settled('admin.tokenFile') === null
  return say(open, 'admin.listen', 'needs admin.tokenFile', 'over TCP the admin API is served with a token only')
}

/** Beyond this machine the session's cookie would be readable on the way without TLS, ours or that of a proxy. */
function webIsGuarded(settled: Settled): readonly Clash[] {
  const address = settled('web.publicUrl')
  const isPlain = typeof address === 'string' && address.startsWith('http:') && !isLocal(new URL(address).hostname)
  const hasPath = typeof address === 'string' && new URL(address).href !== `${new URL(address).origin}/`
  const alone = isOpen(settled('web.listen')) && !isGiven(address) && settled('server.tls.certFile') === null
  return [
    ...say(
      alone,
      'web.listen',
      'is reachable from other machines, without encryption',
      'set server.tls.certFile and keyFile, or web.publicUrl to the https address of a proxy before it; or listen on 127.0.0.1',
    ),
    ...say(isPlain, 'web.publicUrl', 'is an address without encryption', 'it begins with https://'),
    ...say(hasPath, 'web.publicUrl', 'has a path', 'the web view has a host of its own: https://spillway.example'),
  ]
}

function totalHoldsOneBody(settled: Settled): readonly Clash[] {
  const [total, one] = [settled('replay.maxTotalBytes'), settled('replay.maxBodyBytes')]
  const short = typeof total === 'number' && typeof one === 'number' && total < one
  const found = say(short, 'replay.maxTotalBytes', 'is less than replay.maxBodyBytes', 'it must hold at least one body')
  return found.map((clash) => ({ ...clash, other: 'replay.maxBodyBytes' }))
}
