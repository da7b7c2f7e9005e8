import { describe, expect, it } from 'vitest'
import { sameName } from './headers.ts'

describe('the plain name of a header', () => {
  it.each(['X_Api_Key', 'x-api-key', 'X-API-KEY', 'x.api.key'])('is the same however it is spelt: %s', (name) => {
    expect([sameName(name), sameName(name)]).toEqual(['xapikey', 'xapikey'])
  })

  it('is found for long names, and for more of them than are remembered', () => {
    expect(sameName(`X-${'Long-'.repeat(40)}`)).toBe(`x${'long'.repeat(40)}`)
    for (let at = 0; at < 1_500; at++) expect(sameName(`X-Made-Up-${at}`)).toBe(`xmadeup${at}`)
    expect(sameName('X_Api_Key_2')).toBe('xapikey2')
  })
})
