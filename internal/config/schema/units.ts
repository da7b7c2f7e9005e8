const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const shownUnits = ['d', 'h', 'm', 's', 'ms'] as const

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** The form of a duration in text, for JSON Schema; `parseDuration` decides. */
export const durationPattern = /^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d|w)\s*)+$|^\s*\d+(\.\d+)?\s*$/

/** The form of a size in text, for JSON Schema; `parseSize` decides. */
export const sizePattern = /^\s*\d+(\.\d+)?\s*([kKmMgGtT]?[iI]?[bB])?\s*$/

/** The milliseconds that `30s`, `5m`, `1h30m`, `90d` or a bare number mean; null when the text is no duration. */
export function parseDuration(text: string | number): number | null {
  if (typeof text === 'number') return whole(text)
  if (!durationPattern.test(text)) return null
  let total = 0
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)) {
    total += Number(part[1]) * durationUnits[(part[2] || 'ms') as keyof typeof durationUnits]
  }
  return whole(total)
}

/**
 * A duration in the form that `parseDuration` reads, such as `1h30m`, exact unless `parts` keeps only that many of its
 * largest units (`formatDuration(3723004, 2)` is `1h2m`). Negative durations show as `0s`.
 */
export function formatDuration(ms: number, parts = Number.POSITIVE_INFINITY): string {
  const exact = Math.max(0, Math.round(ms))
  const largest = shownUnits.findIndex((unit) => exact >= durationUnits[unit])
  let rest = exact
  let shown = ''
  for (const unit of shownUnits.slice(Math.max(0, largest), Math.max(0, largest) + parts)) {
    const count = Math.floor(rest / durationUnits[unit])
    rest -= count * durationUnits[unit]
    if (count > 0) shown += `${count}${unit}`
  }
  return shown || '0s'
}

/** The bytes that `32MiB`, `64KiB`, `10MB` or a bare number mean; null when the text is no size. */
export function parseSize(text: string | number): number | null {
  if (typeof text === 'number') return whole(text)
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const unit = sizeUnits[match?.[2]?.toLowerCase() || 'b']
  return match && unit ? whole(Number(match[1]) * unit) : null
}

/** A size in the form that `parseSize` reads, in the largest binary unit that leaves it exact. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const factor = sizeUnits[unit.toLowerCase()] ?? 1
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return `${bytes}B`
}

/** A size as people say it, rounded: `6.1 GiB`, `340 MiB`, `12 B`. */
export function readableSize(bytes: number): string {
  const unit = [...'TGMK'].find((letter) => bytes >= (sizeUnits[`${letter.toLowerCase()}ib`] ?? 1))
  if (!unit) return `${Math.round(bytes)} B`
  const value = bytes / (sizeUnits[`${unit.toLowerCase()}ib`] ?? 1)
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}iB`
}

function whole(value: number): number | null {
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) && value >= 0 ? rounded : null
}
