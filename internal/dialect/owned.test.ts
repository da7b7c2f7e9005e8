import { describe, expect, it, test } from 'vitest'
import { dialectOf } from './dialect.ts'
import { asksResponse, continuedIn, idInPath, isAboutUploads, uploadsIn } from './owned.ts'

test.each([
  ['POST', '/v1/responses', true],
  ['POST', '/responses', true],
  ['POST', '/v1/responses/compact', true],
  ['GET', '/v1/responses', false],
  ['POST', '/v1/responses/resp_1/cancel', false],
  ['POST', '/v1/chat/completions', false],
])('%s %s asks for a response: %s', (method, path, expected) => {
  expect(asksResponse(method, path)).toBe(expected)
})

test.each([
  ['/v1/files', true, null],
  ['/v1/files/file-1/content', true, 'file-1'],
  ['/v1/batches/batch_1', true, 'batch_1'],
  ['/v1/messages/batches/msgbatch_1/results', true, 'msgbatch_1'],
  ['/v1/containers/cntr_1/files/cfile_1', true, 'cntr_1'],
  ['/v1/responses/resp_1', false, 'resp_1'],
  ['/v1/profiles/1', false, null],
  ['/v1/models', false, null],
])('%s is about uploads: %s; it names %s', (path, isUpload, id) => {
  expect([isAboutUploads(path), idInPath(path)]).toEqual([isUpload, id])
})

describe('the response that a body goes on from', () => {
  it.each<[string, string, string | null]>([
    ['is named', '{"model":"m","previous_response_id":"resp_1"}', 'resp_1'],
    ['is none', '{"previous_response_id":null}', null],
    ['is empty', '{"previous_response_id":""}', null],
    ['is not one that a tool has as a parameter', '{"tools":[{"previous_response_id":"resp_1"}]}', null],
    ['is not in what is no object', 'null', null],
    ['is not in what is no JSON', '{"previous_response_id":"resp_1"', null],
  ])('%s', (_name, body, id) => {
    expect(continuedIn(body)).toBe(id)
  })
})

describe('the files and containers that a body names', () => {
  it.each<[string, string, string[]]>([
    ['in an input', '{"input":[{"type":"input_file","file_id" : "file-1"}]}', ['file-1']],
    ['for a batch', '{"input_file_id":"file-1","endpoint":"/v1/responses"}', ['file-1']],
    [
      'for a container',
      '{"tools":[{"container":{"type":"auto","file_ids":["file-1","file-2"]}},{"container":"cntr_1"}]}',
      ['file-1', 'cntr_1'],
    ],
    ['by nothing but words about them', '{"input":"the \\"file_id\\":\\"file-1\\""}', []],
  ])('%s', (_name, body, ids) => {
    expect(uploadsIn(body)).toEqual(ids)
  })
})

it('a response that is not there is told in OpenAI’s form', () => {
  const said = { status: 400, code: 'previous_response_not_found', message: 'gone', retryAfterSeconds: null } as const
  const { status, body } = dialectOf('openai').error(said)
  expect([status, JSON.parse(body)]).toEqual([
    400,
    {
      error: {
        message: 'gone',
        type: 'invalid_request_error',
        code: 'previous_response_not_found',
        param: 'previous_response_id',
      },
    },
  ])
})
