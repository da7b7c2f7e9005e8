import type { Migration } from './migration.ts'

/*
 * What replicas need of the database that they share. `fleet` is one row: the number of the newest batch, which each batch
 * locks while it is written, so that numbers become visible in their order (a sequence hands out numbers that become visible
 * later than higher ones). `changes` keeps for each row that was ever written the number of the batch that did it last:
 * it does not grow with time, and says of a row that is gone that it is. Rows of those are forgotten after a while; `floor`
 * is the highest number that was forgotten. A lease keeps its row when it is released, because its generation must only grow.
 */
export const fleet: Migration = ({ int, isShared }) =>
  isShared
    ? [
        `create table fleet (
          id ${int} primary key not null check (id = 1),
          number ${int} not null,
          floor ${int} not null
        )`,
        'insert into fleet (id, number, floor) values (1, 0, 0)',
        `create table changes (
          kind text not null,
          key text not null,
          number ${int} not null,
          origin text not null,
          at ${int} not null,
          gone ${int} not null,
          primary key (kind, key)
        )`,
        'create index changes_by_number on changes (number)',
        `create table leases (
          name text primary key not null,
          holder text not null,
          generation ${int} not null,
          until_at ${int} not null
        )`,
        `create table replicas (
          id text primary key not null,
          name text not null,
          version text not null,
          started_at ${int} not null,
          seen_at ${int} not null,
          draining ${int} not null
        )`,
      ]
    : []
