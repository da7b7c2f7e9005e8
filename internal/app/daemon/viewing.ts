import type { Clock } from '../../clock/clock.ts'
import type { Config } from '../../config/config.ts'
import type { Logger } from '../../log/log.ts'
import { isLoopback } from '../../net/net.ts'
import type { Operations, WebFace } from '../../ops/ops.ts'
import { createWeb, type Web } from '../../web/web.ts'
import type { Core } from '../core.ts'
import { pemFrom } from '../secrets.ts'
import { adminEvents } from './feeds.ts'

/** The web view of a daemon. */
export interface Viewing {
  /** As the verbs see it; null where it is switched off. */
  readonly face: WebFace | null
  /** Begins to listen; a port that cannot be had is told by the log and by `face.problem`. */
  start(ops: Operations): Promise<void>
  stop(): Promise<void>
}

interface ViewingDeps {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly core: Pick<Core, 'bus'>
}

/** The web view as the configuration has it. */
export function viewing(parts: ViewingDeps): Viewing {
  const { listen, publicUrl } = parts.config.web
  let web: Web | null = null
  const face: WebFace = {
    get origin() {
      return web?.origin ?? ''
    },
    get problem() {
      return web ? web.problem : 'it has not been started'
    },
    link: () => web!.link(),
  }
  return {
    face: listen && face,
    async start(ops) {
      if (!listen) return
      const identity = identityOf(parts.config)
      const { core, clock, log } = parts
      web = createWeb({ ops, events: adminEvents(core.bus), clock, log, listen, publicUrl, identity })
      await web.start()
    },
    stop: async () => web?.stop(),
  }
}

/** Its own TLS is the data port's, and only for other machines: here a certificate for another name would be in the way. */
function identityOf({ web: { listen }, server: { tls } }: Config) {
  if (!listen || isLoopback(listen.host) || !tls.certFile || !tls.keyFile) return null
  return { cert: pemFrom('server.tls.certFile', tls.certFile), key: pemFrom('server.tls.keyFile', tls.keyFile) }
}
