import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Feeds, feed, maxFeeds } from '../events/events.ts'
import { type AnyVerb, Refusal, type VerbName, verbs } from '../ops/ops.ts'
import type { AdminDeps, Route } from './api.ts'
import { gate, type Transport } from './gate.ts'
import { explained, type Problem, problemOf, TurnedAway } from './problem.ts'

const maxBodyBytes = 4 * 1024 * 1024
const requestMs = 30_000

/** The HTTP side for one transport, with every route registered; the caller lets it listen. */
export function httpApp(
  parts: AdminDeps,
  transport: Transport,
  feeds: Feeds,
): { app: FastifyInstance; routes: readonly Route[] } {
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: requestMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
  })
  app.removeContentTypeParser('text/plain')
  const routes: Route[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, path: url })
  })
  const pass = gate(transport)
  app.addHook('onRequest', async (request) => pass(request.raw))
  app.setErrorHandler((error, request, reply) => {
    const problem = explained(error)
    if (problem.code === 'internal' || problem.code === 'failed')
      parts.failed(error, request.routeOptions.url ?? request.method)
    return answer(reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    answer(reply, problemOf('no-such-route', `there is no ${request.method} ${request.url.split('?', 1)[0]}`)),
  )
  for (const [name, verb] of Object.entries(verbs)) serve(app, parts, { name: name as VerbName, verb, transport })
  if (transport.kind === 'socket') byName(app, parts, transport)
  fixed(app, parts, feeds)
  return { app, routes }
}

/** As bytes, or fastify would add a charset, which this media type does not have. */
function answer(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)))
}

/** One verb as a route; its arguments come from the path, and the query or the JSON body. */
function serve(
  app: FastifyInstance,
  parts: AdminDeps,
  { name, verb, transport }: { name: VerbName; verb: AnyVerb; transport: Transport },
): void {
  app.route({
    method: verb.method,
    url: verb.path,
    async handler(request, reply) {
      if (verb.secret && transport.kind === 'tcp')
        throw new TurnedAway('socket-only', 'this answers with a secret, and does so on the Unix socket only')
      const args = { ...argumentsOf(request, verb), ...(request.params as object) }
      const result = await parts.ops.run(actorOf(request, transport), name, args)
      return resulted(reply, result, verb)
    },
  })
}

/** Every verb by its name, for the command line, which knows nothing of paths. */
function byName(app: FastifyInstance, parts: AdminDeps, transport: Transport): void {
  app.post<{ Params: { verb: string } }>('/v1/verbs/:verb', async (request, reply) => {
    const { verb } = request.params
    if (!isVerb(verb))
      throw new Refusal('not-found', `the daemon has no verb ${verb}: it is of another version`, 'restart it')
    const result = await parts.ops.run(actorOf(request, transport), verb, bodyOf(request))
    return resulted(reply, result, verbs[verb])
  })
}

function resulted(reply: FastifyReply, result: unknown, { secret }: AnyVerb): FastifyReply {
  if (secret) reply.header('cache-control', 'no-store')
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(result))
}

function isVerb(name: string): name is VerbName {
  return Object.hasOwn(verbs, name)
}

function argumentsOf(request: FastifyRequest, verb: AnyVerb): Record<string, unknown> {
  if (verb.method === 'GET' || verb.method === 'DELETE') return { ...(request.query as object) }
  return bodyOf(request)
}

function bodyOf(request: FastifyRequest): Record<string, unknown> {
  const body = request.body ?? {}
  if (typeof body !== 'object' || Array.isArray(body))
    throw new TurnedAway('bad-body', 'the body must be a JSON object')
  return { ...body }
}

/** Who asks. Whoever can open the socket may say so; over TCP it is always the API itself. */
function actorOf(request: FastifyRequest, transport: Transport): string {
  const said = request.headers['x-spillway-actor']
  const trusted = transport.kind === 'socket' && typeof said === 'string' && /^operator:[a-z0-9:._-]{1,64}$/.test(said)
  return trusted ? said : 'operator:api'
}

/** The routes that are no verbs. */
function fixed(app: FastifyInstance, parts: AdminDeps, feeds: Feeds): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/metrics', async (_request, reply) =>
    reply.type(parts.metrics.contentType).send(await parts.metrics.render()),
  )
  app.get('/v1/events', (_request, reply) => {
    if (feeds.full) throw new TurnedAway('too-many', `there are ${maxFeeds} event streams already`)
    feed(reply.raw, parts.events, { feeds, after: parts.after })
    reply.hijack()
  })
}
