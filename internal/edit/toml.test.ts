import fc from 'fast-check'
import { stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { editToml, tomlAt } from './toml.ts'
import type { Change } from './values.ts'

const key: Change = { path: ['model_provider'], value: 'spillway' }
const table: Change = { path: ['model_providers', 'spillway'], value: { name: 's', auth: { args: ['a', 'b'] } } }
const block = '[model_providers.spillway]\nname = "s"\n\n[model_providers.spillway.auth]\nargs = [ "a", "b" ]\n'

const cases: { name: string; text: string; after: string }[] = [
  { name: 'an empty file gets both', text: '', after: `model_provider = "spillway"\n\n${block}` },
  {
    name: 'a key goes behind the last one of the root, the table to the end',
    text: '# mine\nmodel = "gpt-5" # best\n\n# servers\n[mcp_servers.x]\ncommand = "x"\n',
    after: `# mine\nmodel = "gpt-5" # best\nmodel_provider = "spillway"\n\n# servers\n[mcp_servers.x]\ncommand = "x"\n\n${block}`,
  },
  {
    name: 'a file that begins with a table gets the key before it',
    text: '# comment of x\n[x]\na = 1',
    after: `model_provider = "spillway"\n\n# comment of x\n[x]\na = 1\n\n${block}`,
  },
  {
    name: 'the value of a key that is there is replaced, with its comment kept',
    text: 'model_provider = "openai"   # was\nmodel = "m"\n[x]\nmodel_provider = "other"\n',
    after: `model_provider = "spillway"   # was\nmodel = "m"\n[x]\nmodel_provider = "other"\n\n${block}`,
  },
  {
    name: 'a table of that name is replaced where it is, with the tables in it',
    text: '[model_providers.spillway]\nname = "old" # o\n# in it\n[model_providers.spillway.http_headers]\nA = "b"\n\n[z]\nq = 1\n',
    after: `model_provider = "spillway"\n\n${block}\n[z]\nq = 1\n`,
  },
  {
    name: 'a table under quoted names is the same table',
    text: '[ "model_providers" . \'spillway\' ]\nname = "old"\n',
    after: `model_provider = "spillway"\n\n${block}`,
  },
  {
    name: 'dotted keys in the table around it give way',
    text: '[model_providers]\nspillway.name = "old"\nother.name = "o"\n',
    after: `model_provider = "spillway"\n\n[model_providers]\nother.name = "o"\n\n${block}`,
  },
  {
    name: 'dotted keys of the root stand before the tables',
    text: 'tui.theme = "x"\n[[rules]]\na = 1\n[[rules]]\na = 2\n',
    after: `tui.theme = "x"\nmodel_provider = "spillway"\n[[rules]]\na = 1\n[[rules]]\na = 2\n\n${block}`,
  },
  {
    name: 'what looks like a header in strings and lists is none',
    text: 'notify = [\n  "a", # [x]\n  "[y]",\n]\nlong = """\n[model_providers.spillway]\nname = "no"\n"""\nraw = \'\'\'\n[z]\n\'\'\'\n[t]\n',
    after: `notify = [\n  "a", # [x]\n  "[y]",\n]\nlong = """\n[model_providers.spillway]\nname = "no"\n"""\nraw = '''\n[z]\n'''\nmodel_provider = "spillway"\n[t]\n\n${block}`,
  },
  {
    name: 'line ends of Windows stay',
    text: 'model = "m"\r\n[x]\r\na = 1\r\n',
    after: `model = "m"\r\nmodel_provider = "spillway"\r\n[x]\r\na = 1\r\n\r\n${block.replaceAll('\n', '\r\n')}`,
  },
  {
    name: 'a byte order mark stays first',
    text: '\ufeff[x]\n',
    after: `\ufeffmodel_provider = "spillway"\n\n[x]\n\n${block}`,
  },
]

describe('keys and tables in TOML', () => {
  test.each(cases)('$name', ({ text, after }) => {
    const edited = editToml(text, [key, table])
    expect(edited).toBe(after)
    expect(editToml(edited, [key, table])).toBe(edited)
    expect(tomlAt(edited, ['model_providers', 'spillway', 'auth', 'args'])).toEqual(['a', 'b'])
  })

  test.each([
    ['a key', 'a = 1\nmodel_provider = "x" # c\n\n[t]\n', key, 'a = 1\n\n[t]\n'],
    ['a table between others', `[a]\n\n${block}\n[b]\n`, table, '[a]\n\n[b]\n'],
    ['a table at the end', `[a]\nx = 1\n\n${block}`, table, '[a]\nx = 1\n\n'],
    ['what is not there', '[a]\nx = 1\n', table, '[a]\nx = 1\n'],
  ])('%s is taken away', (_name, text, { path }, after) => {
    expect(editToml(text, [{ path, value: undefined }])).toBe(after)
  })

  test.each([
    [
      'an inline table in the way',
      'model_providers = { openai = { name = "o" } }\n',
      'model_provider and model_providers.spillway cannot be put into it as it is written',
    ],
    ['a text that is no TOML', 'a = 1\nb = \n', 'line 2 is not TOML'],
  ])('is refused for %s', (_name, text, message) => {
    expect(() => editToml(text, [key, table])).toThrow(message)
  })

  test('in any document nothing else changes, or it is refused', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string()))
    const tables = fc.dictionary(fc.string(), fc.oneof(scalar, fc.dictionary(fc.string(), scalar)))
    fc.assert(
      fc.property(tables, (document) => {
        fc.pre(!JSON.stringify(document).includes('__proto__'))
        const text = stringify(document)
        const edited = editToml(text, [key, table])
        expect(tomlAt(edited, ['model_provider'])).toBe('spillway')
        for (const name of Object.keys(document)) expect(tomlAt(edited, [name])).toEqual(tomlAt(text, [name]))
      }),
    )
  })
})
