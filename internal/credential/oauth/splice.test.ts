import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Change, spliceJson } from './splice.ts'

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
    name: 'an empty object takes a nested value',
    text: '{}',
    changes: [{ path: ['a', 'b'], value: 'x' }],
    after: '{"a": {"b": "x"}}',
  },
  {
    name: 'null gives way to an object',
    text: '{"tokens":null,"k":"v"}',
    changes: [{ path: ['tokens', 'x'], value: 'y' }],
    after: '{"tokens":{"x": "y"},"k":"v"}',
  },
  {
    name: 'quotes, braces and escapes inside strings mean nothing',
    text: '{"a":"}\\"{","b\\"":"]","c":"1"}',
    changes: [{ path: ['b"'], value: '"' }],
    after: '{"a":"}\\"{","b\\"":"\\"","c":"1"}',
  },
  {
    name: 'of a repeated name the last counts',
    text: '{"a":1,"a":2}',
    changes: [{ path: ['a'], value: 3 }],
    after: '{"a":1,"a":3}',
  },
]
test.each(cases)('$name', ({ text, changes, after }) => {
  expect(spliceJson(text, changes)).toBe(after)
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
        const after: unknown = JSON.parse(spliceJson(JSON.stringify(document, null, indent), [{ path: [name], value }]))
        expect(after).toEqual({ ...(before as object), [name]: value })
      },
    ),
  )
})
