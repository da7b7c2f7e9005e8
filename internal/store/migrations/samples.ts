import type { Migration } from './migration.ts'

/*
 * What upstreams said of limits, and what was asked meanwhile: one row for a credential and five minutes, thinned to one an
 * hour after two days. No foreign key: a row of a credential that has just been removed must not spoil the batch that it comes
 * with; rows of the removed go with them, and age ends what is left. `bytes` is what the budget counts.
 */
export const samples: Migration = ({ int, keyed }) => [
  `create table usage_samples (
    credential_id text not null,
    at ${int} not null,
    writer text not null,
    windows text not null,
    work text not null,
    bytes ${int} not null,
    primary key (credential_id, at, writer)
  ) ${keyed}`,
  'create index usage_samples_by_time on usage_samples (at)',
]
