import type { Write } from '../../store/store.ts'

/** The row that a write is about: a later write of the same row replaces an earlier one that is still pending. */
export function rowOf(write: Write): string {
  if ('drop' in write) return rowOfDrop(write)
  switch (write.put) {
    case 'credential':
    case 'credential-state':
    case 'key':
    case 'incident':
    case 'outbox':
      return `${write.put} ${write.row.id}`
    case 'pool':
    case 'pool-state':
    case 'domain':
      return `${write.put} ${write.row.name}`
    case 'seat':
      return `seat ${write.row.pool} ${write.row.credentialId}`
    case 'host':
      return `host ${write.row.host}`
    case 'secret':
      return `secret ${write.row.owner} ${write.row.field}`
    case 'refresh':
      return `refresh ${write.row.id}`
    case 'usage-sample':
      return `sample ${write.row.credentialId} ${write.row.at}`
    case 'usage':
      return `usage ${write.row.hour} ${write.row.writer} ${write.row.pool} ${write.row.key} ${write.row.member} ${write.row.model}`
    case 'meta':
      return `meta ${write.name}`
    case 'suppressed':
      return `suppressed ${write.signal}`
  }
}

function rowOfDrop(write: Extract<Write, { drop: string }>): string {
  switch (write.drop) {
    case 'credential':
    case 'incident':
    case 'outbox':
      return `drop ${write.drop} ${write.id}`
    case 'pool':
      return `drop pool ${write.name}`
    case 'seat':
      return `seat ${write.pool} ${write.credentialId}`
    case 'host':
      return `host ${write.host}`
    case 'secret':
      return `drop secret ${write.owner}`
    case 'meta':
      return `meta ${write.name}`
    case 'suppressed':
      return `suppressed ${write.signal}`
  }
}
