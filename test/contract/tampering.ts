import { beforeEach, describe, expect, test } from 'vitest'
import { type Bench, generous } from './bench.ts'
import { at, cooled } from './samples.ts'

/** Somebody who can write to the database of a Store but does not have its key. */
export function tamperingContract(bench: Bench): void {
  describe('somebody who tampers with the audit log', () => {
    beforeEach(() => bench.tell(...Array.from({ length: 10 }, (_, i) => cooled(`m${i}`))))

    const cases: [string, string, number][] = [
      ['changes a row', `update audit set from_member = 'x' where seq = 4`, 4],
      ['changes details', `update audit set detail = '{}' where seq = 1`, 1],
      ['removes a row', 'delete from audit where seq = 6', 6],
      ['removes the first row', 'delete from audit where seq = 1', 1],
      ['cuts off the end', 'delete from audit where seq > 7', 8],
      ['removes everything', 'delete from audit', 1],
      [
        'swaps two rows',
        'update audit set seq = 99 where seq = 3; update audit set seq = 3 where seq = 4; update audit set seq = 4 where seq = 99',
        3,
      ],
      [
        'appends a row',
        `insert into audit select 11, at, kind, pool, from_member, to_member, reason, actor, suppressed, detail, hash, bytes, 'e'
         from audit where seq = 10`,
        11,
      ],
      [
        'cuts off the end and makes the head fit',
        `delete from audit where seq > 7;
         update audit_head set seq = 7, hash = (select hash from audit where seq = 7)`,
        7,
      ],
      ['removes the head', 'delete from audit_head', 10],
      ['removes everything and the head', 'delete from audit; delete from audit_head', 1],
      [
        'removes the beginning and makes the anchor fit',
        `update audit_anchor set seq = 3, hash = (select hash from audit where seq = 3); delete from audit where seq < 4`,
        3,
      ],
      ['removes the anchor', 'delete from audit_anchor', 1],
    ]

    test.each(cases)('is found out, and the first bad row named, when he %s', async (_name, statements, seq) => {
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: true })
      await bench.database.tamper(statements)
      expect(await bench.store.verifyAudit()).toEqual({ ok: false, seq, problem: expect.any(String) })
    })

    test.each(cases)('is found out later too: rows go on being written after he %s', async (_name, statements) => {
      await bench.database.tamper(statements)
      await bench.tell(cooled('later'))
      await bench.reopen()
      await bench.tell(cooled('later still'))
      expect((await bench.store.audit({ limit: 2 })).map(({ from }) => from)).toEqual(['later', 'later still'])
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: false })
    })

    test.each(cases)(
      'does not get his traces wiped by the removal of old rows after he %s',
      async (_name, statements) => {
        await bench.database.tamper(statements)
        await bench.tell(cooled('later'), cooled('later still'))
        await bench.store.prune(at, { ...generous, maxRows: 1 })
        await bench.store.prune(at, { ...generous, maxRows: 1 })
        expect((await bench.store.audit({})).map(({ from }) => from)).toEqual(['later still'])
        expect(await bench.store.verifyAudit()).toMatchObject({ ok: false })
      },
    )

    test('cannot put a row before the beginning that was removed', async () => {
      await bench.store.prune(at, { ...generous, maxRows: 5 })
      await bench.database.tamper(
        `insert into audit select 2, at, kind, pool, from_member, to_member, reason, actor, suppressed, detail, hash, bytes, 'e'
         from audit where seq = 7`,
      )
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: false, seq: 2 })
    })

    test('cannot sign with another key', async () => {
      await bench.reopen(2)
      expect(await bench.store.verifyAudit()).toMatchObject({
        ok: false,
        seq: 10,
        problem: expect.stringContaining('signature'),
      })
    })
  })
}
