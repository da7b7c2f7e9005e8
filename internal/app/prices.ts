import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type PriceList, parsePrices } from '../ledger/ledger.ts'
import { Refusal } from '../pool/pool.ts'

/** The list prices of this version, behind those of an operator's own file; refuses a file that cannot be used. */
export function pricesOf(own: string | null): PriceList {
  const listed = listPrices()
  if (own === null) return listed
  try {
    const { date, prices } = parsePrices(readFileSync(own, 'utf8'))
    return { date, prices: [...prices, ...listed.prices] }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const hint = `its form: ${join(packageFolder(), listFile)}`
    throw new Refusal('invalid', `usage.prices: ${own} cannot be used: ${why}`, hint)
  }
}

/** The list prices of this version. */
export function listPrices(): PriceList {
  return parsePrices(readFileSync(join(packageFolder(), listFile), 'utf8'))
}

const listFile = join('internal', 'ledger', 'prices.json')

/** The folder that is above the sources and above what is built from them. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
