import type { Migration } from './migration.ts'

/*
 * Everything that the first version remembers. Configuration (credentials, pools, seats, keys) and what happened to it
 * (states, refreshes) are separate tables, because the one is written by people and the other by every transition; a
 * state row is small and written alone. Foreign keys are checked at the end of the transaction: a batch may come in any
 * order, since a row that is written again moves behind rows that refer to it. Secrets have none, as an owner is a
 * credential or a client key. What is a union in the product (health, park, source, details) is JSON, because nothing here
 * searches in it. Audit rows carry the name of the entry that they were written for, so that one commit that was tried
 * twice can be told from two; head and anchor of the chain stand outside of the table that they protect. Audit rows are
 * found by number alone: pool, kind and time are compared while reading, which is quick enough for 100,000 rows and saves
 * every commit an index.
 */
export const first: Migration = ({ int, real, keyed, numbered }) => {
  const of = (table: string, column: string) =>
    `references ${table} (${column}) on delete cascade deferrable initially deferred`
  return [
    `create table credentials (
      id text primary key not null,
      name text not null unique,
      provider text not null,
      base_url text,
      domain text,
      header text,
      source text not null,
      auth text not null,
      oauth text,
      created_at ${int} not null
    ) ${keyed}`,
    `create table credential_states (
      id text primary key not null ${of('credentials', 'id')},
      generation ${int} not null,
      health text not null,
      scoped text not null
    ) ${keyed}`,
    `create table refreshes (
      id text primary key not null ${of('credentials', 'id')},
      generation ${int} not null,
      intent text,
      refused text,
      failures ${int} not null,
      next_attempt_at ${int} not null
    ) ${keyed}`,
    `create table pools (
      name text primary key not null,
      provider text not null,
      upstream text,
      strategy text not null,
      max_wait_ms ${int},
      on_exhausted text,
      preempt_at ${real},
      probe_path text,
      created_at ${int} not null
    ) ${keyed}`,
    `create table pool_states (
      name text primary key not null ${of('pools', 'name')},
      active text,
      exhausted text
    ) ${keyed}`,
    `create table seats (
      pool text not null ${of('pools', 'name')},
      credential_id text not null ${of('credentials', 'id')},
      epoch ${int} not null,
      position ${int} not null,
      weight ${int} not null,
      park text,
      primary key (pool, credential_id)
    ) ${keyed}`,
    `create index seats_by_credential on seats (credential_id)`,
    `create table domains (name text primary key not null, health text not null) ${keyed}`,
    `create table hosts (
      host text primary key not null,
      failures ${int} not null,
      since ${int} not null,
      next_attempt_at ${int} not null
    ) ${keyed}`,
    `create table client_keys (
      id text primary key not null,
      name text not null,
      digest text not null,
      pools text,
      created_at ${int} not null,
      revoked_at ${int}
    ) ${keyed}`,
    `create table secrets (
      owner text not null,
      field text not null,
      generation ${int} not null,
      sealed text not null,
      primary key (owner, field)
    ) ${keyed}`,
    `create table incidents (
      id text primary key not null,
      kind text not null,
      pool text,
      subject text,
      reason text,
      opened_at ${int} not null,
      closed_at ${int},
      count ${int} not null,
      state text not null
    ) ${keyed}`,
    `create table outbox (
      id text primary key not null,
      channel text not null,
      incident text not null,
      body text not null,
      created_at ${int} not null,
      attempts ${int} not null,
      next_attempt_at ${int} not null
    ) ${keyed}`,
    `create table suppressed (signal text primary key not null, count ${int} not null, at ${int} not null) ${keyed}`,
    `create table meta (name text primary key not null, value text not null) ${keyed}`,
    `create table audit (
      seq ${int} primary key not null,
      at ${int} not null,
      kind text not null,
      pool text,
      from_member text,
      to_member text,
      reason text,
      actor text not null,
      suppressed ${int} not null,
      detail text not null,
      hash text not null,
      bytes ${int} not null,
      entry text not null
    ) ${numbered}`,
    `create table audit_head (
      id ${int} primary key not null check (id = 1),
      seq ${int} not null,
      hash text not null,
      bytes ${int} not null,
      signature text not null
    ) ${numbered}`,
    `create table audit_anchor (
      id ${int} primary key not null check (id = 1),
      seq ${int} not null,
      hash text not null,
      bytes ${int} not null,
      broken_seq ${int},
      problem text,
      signature text not null
    ) ${numbered}`,
  ]
}
