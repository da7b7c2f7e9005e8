import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Config } from '../schema/schema.ts'
import type { Environment } from '../values/environment.ts'
import type { Clash } from './clash.ts'

/** What is wrong with the files and variables that a configuration names. */
export interface References {
  /** What stops a start: missing, unreadable, empty, or not what it has to be. */
  readonly problems: readonly Clash[]
  /** Files with a secret that others than their owner can use. */
  readonly open: readonly OpenFile[]
}

/** A file with a secret that is open to others. */
export interface OpenFile {
  readonly key: string
  readonly file: string
  readonly mode: number
}

/** The files of a configuration that hold a secret, by the names of their settings. */
export function secretFiles({
  admin,
  notices,
  oauth,
  server,
  store,
}: Config): readonly { key: string; file: string }[] {
  const all: [string, string | null][] = [
    ['admin.tokenFile', admin.tokenFile],
    ['notices.telegram.botTokenFile', notices.telegram.botTokenFile],
    ['notices.webhook.secretFile', notices.webhook.secretFile],
    ['oauth.gemini.clientSecretFile', oauth.gemini.clientSecretFile],
    ['server.tls.keyFile', server.tls.keyFile],
    ['store.passwordFile', store.passwordFile],
    ['store.tls.keyFile', store.tls.keyFile],
  ]
  return all.flatMap(([key, file]) => (file === null ? [] : [{ key, file }]))
}

/** Opens what the configuration names, as a start would; it blocks while it reads. */
export function inspectReferences(config: Config, env: Environment): References {
  const secrets = secretFiles(config)
  const { telegram, webhook } = config.notices
  return {
    problems: [
      ...secrets
        .filter(({ key }) => !key.endsWith('.tls.keyFile'))
        .flatMap(({ key, file }) => said(key, secretProblem(file))),
      ...said('notices.telegram.botTokenEnv', variableProblem(telegram.botTokenEnv, env)),
      ...said('notices.webhook.secretEnv', variableProblem(webhook.secretEnv, env)),
      ...identityProblems('server.tls', config.server.tls),
      ...identityProblems('store.tls', config.store.tls),
      ...authorityProblems(config.store.tls.caFile),
    ],
    open: secrets.flatMap(openToOthers),
  }
}

function said(key: string, message: string | null, hint: string | null = null): readonly Clash[] {
  return message === null ? [] : [{ key, message, hint }]
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a directory, not a file',
}

/** The text of a file, or what is wrong with it. */
function read(file: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return { problem: `${file} ${causes[code] ?? `cannot be read (${code})`}` }
  }
}

function secretProblem(file: string): string | null {
  const found = read(file)
  if ('problem' in found) return found.problem
  return found.text.split('\n', 1)[0]?.trim() === '' ? `the first line of ${file} is empty` : null
}

function variableProblem(name: string | null, env: Environment): string | null {
  return name === null || env[name]?.trim() ? null : `the environment variable ${name} is not set here`
}

function identityProblems(section: string, { certFile, keyFile }: Config['server']['tls']): readonly Clash[] {
  if (certFile === null || keyFile === null) return []
  const cert = parsed(certFile, 'a certificate', (text) => new X509Certificate(text))
  const key = parsed(keyFile, 'a private key without a passphrase', (text) => createPrivateKey(text))
  const isPair = 'value' in cert && 'value' in key && cert.value.checkPrivateKey(key.value)
  return [
    ...('problem' in cert ? said(`${section}.certFile`, cert.problem) : []),
    ...('problem' in key ? said(`${section}.keyFile`, key.problem) : []),
    ...('value' in cert && 'value' in key && !isPair
      ? said(`${section}.keyFile`, `${keyFile} is not the key of ${certFile}`)
      : []),
  ]
}

function authorityProblems(file: string | null): readonly Clash[] {
  if (file === null) return []
  const found = parsed(file, 'a certificate', (text) => new X509Certificate(text))
  return 'problem' in found ? said('store.tls.caFile', found.problem) : []
}

function parsed<T>(
  file: string,
  what: string,
  parse: (text: string) => T,
): { readonly value: T } | { readonly problem: string } {
  const found = read(file)
  if ('problem' in found) return found
  try {
    return { value: parse(found.text) }
  } catch {
    return { problem: `${file} does not hold ${what} (PEM)` }
  }
}

/** Modes say nothing on Windows. */
function openToOthers({ key, file }: { key: string; file: string }): readonly OpenFile[] {
  if (process.platform === 'win32') return []
  try {
    const mode = statSync(file).mode & 0o777
    return (mode & 0o077) === 0 ? [] : [{ key, file, mode }]
  } catch {
    return []
  }
}
