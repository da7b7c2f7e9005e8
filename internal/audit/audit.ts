/**
 * The audit log as others see it: the shape of a row outside of the store, and the keeping of its budget.
 * The chain itself (hashes, signed ends, `verifyAudit`) is the Store's, because it is written in the Store's transactions.
 */
export { keepAudit } from './keeping.ts'
export { type AuditListShape, type AuditShape, auditListShape, auditShape } from './shape.ts'
