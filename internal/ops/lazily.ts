/**
 * The code of the credential package, for the verbs that need more of it than the live credentials. The command line loads
 * every verb for its arguments, and most runs ask a daemon and end: they must not load what talks to authorization servers.
 */
export function credentialPackage() {
  return import('../credential/credential.ts')
}
