import type { Migration } from './migration.ts'

/** Members have a tier, which is 1 for all that were there before, and may have bounds on what is under way and on how far their windows are used. A pool remembers that a later tier serves. */
export const tuning: Migration = ({ int }) => [
  `alter table seats add column tier ${int} not null default 1`,
  `alter table seats add column max_in_flight ${int}`,
  "alter table seats add column caps text not null default '{}'",
  'alter table pool_states add column backup text',
]
