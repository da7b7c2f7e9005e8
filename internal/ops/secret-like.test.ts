import { expect, test } from 'vitest'
import { looksLikeSecret } from './secret-like.ts'

test.each([
  ['a key of OpenAI', 'sk-proj-4hT0x9vQ2mZk7Lw1'],
  ['a key of Anthropic', 'sk-ant-api03-AAAA'],
  ['a client key of spillway', 'sk-spillway-0123456789abcdef-xyz'],
  ['a live key of some other kind', 'sk-live-SECRET'],
  ['a key of Google', 'AIzaSyA1234567890'],
  ['a key of Groq', 'gsk_abcdefgh12'],
  ['a web token', 'eyJhbGciOiJIUzI1NiJ9'],
  ['32 hexadecimal digits', '9f86d081884c7d659a2feaa0c55ad015'],
  ['random letters and digits', 'kJ8sQ2vR7xT1mN5bP0cL'],
])('looks like a secret: %s', (_name, text) => {
  expect(looksLikeSecret(text)).toBe(true)
})

test.each([
  'work',
  'sk-work',
  'openai-2',
  'xai-production-2',
  'account-2026-11-30',
  'productionaccount20261130',
  'MyProductionAccount2026Berlin',
  'team.billing_eu-west-1',
  '3f2a8f3e-64a9-4d1c-9a77-1b2c3d4e5f60',
])('is a name: %s', (text) => {
  expect(looksLikeSecret(text)).toBe(false)
})
