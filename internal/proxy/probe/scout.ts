import { NoMaterial } from '../../credential/credential.ts'
import type { Answer, Scout } from '../../engine/engine.ts'
import { silentOutcome } from '../../pool/pool.ts'
import { answered, findingOf, type ProbeDeps } from './probe.ts'
import { reaches } from './reach.ts'

/** The Scout that the engine uses in the background: it asks with the canonical request, or only connects. */
export function createScout(parts: ProbeDeps): Scout {
  return {
    async ask(credential, pool) {
      try {
        const outcome = await answered(parts, {
          credential,
          pool,
          material: () => parts.credentials.material(credential),
        })
        return outcome && { finding: findingOf(outcome).finding, outcome }
      } catch (error) {
        return error instanceof NoMaterial ? null : unreached
      }
    },
    async connects(baseUrl) {
      try {
        const { lookup, connect } = parts.upstreams.at(baseUrl)
        const { clock, upstreams } = parts
        return await reaches(baseUrl, { lookup, connect, clock, deadlineMs: upstreams.settings.connectMs })
      } catch {
        return false
      }
    },
  }
}

const unreached: Answer = { finding: 'inconclusive', outcome: silentOutcome('infra', 'connect') }
