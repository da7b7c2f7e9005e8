import { z } from 'zod'
import type { PriceList } from './prices.ts'

const dollars = z.number().nonnegative().max(1_000_000)

const rates = {
  input: dollars,
  output: dollars,
  cached: dollars.exactOptional(),
  cacheWrite: dollars.exactOptional(),
  cacheWriteHour: dollars.exactOptional(),
}

const file = z.strictObject({
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a day such as 2026-11-30'),
  about: z.string().optional(),
  sources: z.array(z.string()).optional(),
  prices: z.array(
    z.strictObject({
      providers: z.array(z.string()).min(1),
      models: z.array(z.string().transform((name) => name.toLowerCase())).min(1),
      ...rates,
      long: z.strictObject({ above: z.int().positive(), ...rates }).exactOptional(),
    }),
  ),
})

/** The price list in the text of a file; throws an error that says what is wrong with it, and where. */
export function parsePrices(text: string): PriceList {
  const parsed = file.safeParse(JSON.parse(text))
  if (parsed.success) return { date: parsed.data.date, prices: parsed.data.prices }
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
  throw new Error(problems.join('; '))
}
