import type { Migration } from './migration.ts'

/** Providers may offer several shapes of API: null is the provider's own. */
export const shape: Migration = () => [
  'alter table credentials add column shape text',
  'alter table pools add column shape text',
]
