import { expect, it, test } from 'vitest'
import { IdFinder } from './told-ids.ts'

function idsIn(chunks: readonly string[], all: boolean): string[] {
  const ids: string[] = []
  const finder = new IdFinder({ all, named: (id) => ids.push(id) })
  for (const chunk of chunks) finder.take(Buffer.from(chunk))
  return ids
}

const created =
  'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","object":"response"}}\n\n'
const item = 'data: {"type":"response.output_item.added","item":{"id":"msg_1"}}\n\n'
const batch = '{"id":"batch_1","input_file_id":"file-1","output_file_id" : "file-2","error_file_id":null}'

test.each<[string, string, boolean, string[]]>([
  ['a response', '{\n  "id" : "resp_1",\n  "output":[{"id":"msg_1"}]}', false, ['resp_1']],
  ['a stream', created + item, false, ['resp_1']],
  ['a batch', batch, true, ['batch_1', 'file-1', 'file-2']],
  ['a list of files', '{"object":"list","data":[{"id":"file-1"},{"id":"file-2"}]}', true, ['file-1', 'file-2']],
  ['an answer without one', '{"id":null,"ids":"x","id":"","text":"\\"id\\":\\"no\\""}', true, []],
  ['an id that is longer than any', `{"id":"${'x'.repeat(400)}"}`, true, []],
])('the ids that matter are found in %s, in any pieces', (_name, text, all, ids) => {
  expect(idsIn([text], all).sort()).toEqual(ids)
  expect(idsIn([...text], all).sort()).toEqual(ids)
})

it('behind 64 KiB nobody looks for a response any more', () => {
  const late = [`{"x":"${'y'.repeat(70_000)}",`, '"id":"resp_1"}']
  expect([idsIn(late, false), idsIn(late, true)]).toEqual([[], ['resp_1']])
})
