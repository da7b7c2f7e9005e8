import type { Migration } from './migration.ts'

/*
 * What went through, by the hour. The hour is first in the key, because questions are about a stretch of time and old hours
 * are removed as a whole. Each run of the program writes rows of its own, with all that it has counted so far: a write that
 * is tried twice counts once, and several replicas add up without reading each other's rows. Names stand as they were, with
 * no reference: what was used stays true when its key or member is gone.
 */
export const usage: Migration = ({ int, keyed }) => [
  `create table usage_hours (
    hour ${int} not null,
    writer text not null,
    pool text not null,
    key_name text not null,
    member text not null,
    model text not null,
    requests ${int} not null,
    unmetered ${int} not null,
    unpriced ${int} not null,
    input ${int} not null,
    cached ${int} not null,
    cache_write ${int} not null,
    output ${int} not null,
    reasoning ${int} not null,
    cost ${int} not null,
    primary key (hour, writer, pool, key_name, member, model)
  ) ${keyed}`,
]
