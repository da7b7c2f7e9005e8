import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { environmentName, loadConfig } from '../../internal/config/config.ts'
import { settings } from '../../internal/config/schema/schema.ts'
import { root, textOf } from '../support/citations.ts'

const known = new Set(['HOME', 'SPILLWAY_DATA', ...[...settings.keys()].map(environmentName)])
const user = /^USER (\d+):/m.exec(textOf('deploy/Dockerfile'))?.[1]
const unknownOf = (names: readonly string[]) =>
  names.filter((name) => name.startsWith('SPILLWAY_') && !known.has(name) && name !== 'SPILLWAY_DB_PASSWORD')
const drainMs = () => {
  const loaded = loadConfig({ file: '/none', explicit: false, env: {}, dataDir: '/data' })
  return loaded.ok ? loaded.config.server.drainMs : Number.POSITIVE_INFINITY
}

describe('the compose file of a fleet', () => {
  const { services } = parse(textOf('deploy/fleet/compose.yaml'), { merge: true })
  const replicas = ['spillway-1', 'spillway-2'].map((name) => services[name])

  test('has two replicas of one database that are read-only, have no privileges, and have time to drain', () => {
    for (const replica of replicas) {
      expect(replica).toMatchObject({ read_only: true, cap_drop: ['ALL'], image: 'spillway' })
      expect(unknownOf(Object.keys(replica.environment))).toEqual([])
      expect(Number(/^(\d+)s$/.exec(replica.stop_grace_period)?.[1]) * 1_000).toBeGreaterThan(drainMs())
      expect(replica.ports).toBeUndefined()
    }
    expect(new Set(replicas.map(({ volumes }) => volumes[0])).size).toBe(2)
    expect(services['spillway-2'].depends_on).toEqual({ 'spillway-1': { condition: 'service_healthy' } })
  })

  test('builds the image, gives both one master key of their own user, and is published to this machine alone', () => {
    const { build, command } = services['master-key']
    expect(existsSync(join(root, 'deploy/fleet', build.context, build.dockerfile))).toBe(true)
    expect(command[0]).toContain(`chown ${user}:`)
    expect(services.balancer.ports).toEqual(['127.0.0.1:8460:8460'])
    const published = Object.values<{ ports?: unknown }>(services).filter(({ ports }) => ports)
    expect(published).toHaveLength(1)
  })

  test('has a balancer that knows both and asks whether they are ready', () => {
    const text = textOf('deploy/fleet/haproxy.cfg')
    for (const name of ['spillway-1', 'spillway-2']) expect(text).toContain(`server ${name} ${name}:8460`)
    expect(text).toContain('option httpchk GET /readyz')
  })
})

describe('the manifests for Kubernetes', () => {
  const documents = parseAllDocuments(textOf('deploy/kubernetes/spillway.yaml')).map((each) => each.toJS())
  const of = (kind: string) => documents.filter((each) => each.kind === kind)
  const [set] = of('StatefulSet')
  const pod = set.spec.template.spec
  const [container] = pod.containers

  test('run as an ordinary user on a file system that cannot be written, without privileges', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: Number(user) })
    for (const each of [...pod.containers, ...pod.initContainers])
      expect(each.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    expect(pod.automountServiceAccountToken).toBe(false)
  })

  test('ask how a replica is, and give it time to leave', () => {
    expect([container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      '/readyz',
      '/healthz',
    ])
    const [{ data }] = of('ConfigMap')
    const seconds = (text: string) => Number(/^(\d+)s$/.exec(text)?.[1])
    const leaves = seconds(data.SPILLWAY_SERVER_PRE_DRAIN_MS) + seconds(data.SPILLWAY_SERVER_DRAIN_MS)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(leaves)
  })

  test('belong together: labels, services, secrets, settings that exist, a disruption budget', () => {
    const { app } = set.spec.template.metadata.labels
    for (const service of of('Service')) expect(service.spec.selector).toEqual({ app })
    expect(of('Service').map(({ metadata }) => metadata.name)).toContain(set.spec.serviceName)
    expect(of('PodDisruptionBudget')).toMatchObject([
      { spec: { maxUnavailable: 1, selector: { matchLabels: { app } } } },
    ])
    const [{ metadata, data }] = of('ConfigMap')
    expect(container.envFrom[0].configMapRef.name).toBe(metadata.name)
    const names = [...Object.keys(data), ...container.env.map(({ name }: { name: string }) => name)]
    expect(unknownOf(names)).toEqual([])
    const kept = container.env.find(({ name }: { name: string }) => name === 'SPILLWAY_DATA').value
    expect(pod.initContainers[0].command.at(-1)).toContain(`${kept}/master.key`)
    expect(set.spec.replicas).toBeGreaterThan(1)
  })
})
