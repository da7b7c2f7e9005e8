import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editJson, jsonAt } from './json.ts'
import type { Change } from './values.ts'

const cases: { name: string; text: string; changes: Change[]; after: string }[] = [
  {
    name: 'a value is replaced where it stands',
    text: '{ "a":1,\t"t": {"x":"old" , "y":[1,{"x":2}]},"z":12345678901234567890 }\n',
    changes: [{ path: ['t', 'x'], value: 'new' }],
    after: '{ "a":1,\t"t": {"x":"new" , "y":[1,{"x":2}]},"z":12345678901234567890 }\n',
  },
  {
    name: 'a missing value is added after the last one with its indentation',
    text: '{\n  "a": {\n    "b": 1\n  }\n}\n',
    changes: [
      { path: ['a', 'c'], value: 2 },
      { path: ['d'], value: null },
    ],
    after: '{\n  "a": {\n    "b": 1,\n    "c": 2\n  },\n  "d": null\n}\n',
  },
  {
    name: 'tabs and line ends stay what they are',
    text: '{\r\n\t"a": 1\r\n}\r\n',
    changes: [{ path: ['b', 'c'], value: true }],
    after: '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": true\r\n\t}\r\n}\r\n',
  },
  {
    name: 'comments and a trailing comma stay',
    text: '{\n  // first\n  "a": 1, // one\n  "b": 2, /* two */\n}\n',
    changes: [{ path: ['a'], value: 3 }],
    after: '{\n  // first\n  "a": 3, // one\n  "b": 2, /* two */\n}\n',
  },
  {
    name: 'a file on one line stays on one line',
    text: '{"a":{"b":1}}',
    changes: [{ path: ['a', 'c'], value: 'x' }],
    after: '{"a":{"b":1,"c": "x"}}',
  },
  {
    name: 'an empty file becomes an object',
    text: '',
    changes: [{ path: ['a', 'b'], value: 'x' }],
    after: '{\n  "a": {\n    "b": "x"\n  }\n}\n',
  },
  {
    name: 'null, a number and a list give way to an object',
    text: '{"tokens":null,"n":1,"l":[],"k":"v"}',
    changes: [
      { path: ['tokens', 'x'], value: 'y' },
      { path: ['n', 'x', 'z'], value: 'y' },
      { path: ['l', 'x'], value: 'y' },
    ],
    after: '{"tokens":{"x":"y"},"n":{"x":{"z":"y"}},"l":{"x":"y"},"k":"v"}',
  },
  {
    name: 'quotes, braces and escapes inside strings mean nothing',
    text: '{"a":"}\\"{","b\\"":"]","c":"1"}',
    changes: [{ path: ['b"'], value: '"' }],
    after: '{"a":"}\\"{","b\\"":"\\"","c":"1"}',
  },
  {
    name: 'of a repeated name the last is left',
    text: '{"a":{"b":0},"c":1,"a":{"b":2}}',
    changes: [{ path: ['a', 'b'], value: 3 }],
    after: '{"c":1,"a":{"b":3}}',
  },
  {
    name: 'a byte order mark stays',
    text: '\ufeff{"a":1}',
    changes: [{ path: ['a'], value: 2 }],
    after: '\ufeff{"a":2}',
  },
  {
    name: 'a value is taken away with its comma',
    text: '{\n  "a": 1,\n  "b": 2\n}\n',
    changes: [{ path: ['b'], value: undefined }],
    after: '{\n  "a": 1\n}\n',
  },
  {
    name: 'what is not there is not taken away',
    text: '{"a":1}',
    changes: [{ path: ['b', 'c'], value: undefined }],
    after: '{"a":1}',
  },
]
test.each(cases)('$name', ({ text, changes, after }) => {
  expect(editJson(text, changes)).toBe(after)
})

describe('is refused', () => {
  test.each([
    ['a text that is no JSON, by its line', '{\n  "a": 1\n  "b": 2\n}', 'line 3 is not JSON (CommaExpected)'],
    ['a list', '[]', 'it holds no JSON object'],
  ])('%s', (_name, text, message) => {
    expect(() => editJson(text, [{ path: ['a'], value: 1 }])).toThrow(message)
  })
})

test('in any JSON object the named value changes and no other', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
      fc.string(),
      fc.string(),
      fc.constantFrom(undefined, 2, '\t'),
      (document, name, value, indent) => {
        fc.pre(name !== '__proto__' && !('__proto__' in document && Object.hasOwn(document, '__proto__')))
        const before: unknown = JSON.parse(JSON.stringify(document))
        const text = editJson(JSON.stringify(document, null, indent), [{ path: [name], value }])
        expect(JSON.parse(text)).toEqual({ ...(before as object), [name]: value })
        expect(jsonAt(text, [name])).toBe(value)
      },
    ),
  )
})
