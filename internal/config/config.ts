/**
 * The configuration: one schema with all defaults, read from `spillway.yaml` and the environment, with every problem told
 * at once. A broken file never replaces a running configuration; that is the caller's choice, and `Loaded` makes it explicit.
 */

export { reloadable } from './changes/reload.ts'
export { watchConfig } from './changes/watch.ts'
export { type FileText, type Loaded, type LoadOptions, loadConfig, parseConfig, type Setting } from './load.ts'
export { formatProblems, type Problem } from './problems/problem.ts'
export { secretFiles } from './problems/references.ts'
export { suggest } from './problems/suggest.ts'
export { type Address, formatAddress, parseAddress } from './schema/address.ts'
export { configJsonSchema } from './schema/jsonschema.ts'
export { reserveOf } from './schema/reserve.ts'
export { type Config, longestWait } from './schema/schema.ts'
export { formatDuration, formatSize, parseDuration, parseSize, readableSize } from './schema/units.ts'
export { environmentName, type Override } from './values/environment.ts'
export { readSource } from './values/source.ts'
