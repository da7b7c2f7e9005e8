// Plain JavaScript that the oldest Node can read: it is what tells people to take a newer one.

/**
 * Which better-sqlite3 a Node runs: 13 where it has version 10 of Node-API, 12 on Node 20, none elsewhere. 13 crashes the
 * process on a Node-API that is older, and 12 does so on some of the Nodes that are newer.
 */
export function sqliteFor(versions) {
  const [major, minor] = versions.node.split('.').map(Number)
  if (major === 20) return minor >= 19 ? 12 : null
  return Number(versions.napi) >= 10 ? 13 : null
}

/** Why this Node cannot run spillway, as one sentence with what to do; null when it can. */
export function refusalOf(versions) {
  if (sqliteFor(versions) !== null) return null
  return `spillway needs Node.js 20.19 or newer (of 22: 22.14 or newer), and this is ${versions.node}: install a newer one, 24 for example`
}
