/**
 * The configuration: one schema with all defaults, read from `spillway.yaml` and the environment, with every problem told
 * at once. A broken file never replaces a running configuration; that is the caller's choice, and `Loaded` makes it explicit.
 */
export { type Address, formatAddress, parseAddress } from './address.ts'
export { environmentName, type Override } from './environment.ts'
export { configJsonSchema } from './jsonschema.ts'
export { type Loaded, type LoadOptions, loadConfig } from './load.ts'
export { formatProblems, type Problem } from './problem.ts'
export { reloadable } from './reload.ts'
export { reloadConfig } from './reread.ts'
export { reserveOf } from './reserve.ts'
export { type Config, longestWait } from './schema.ts'
export { readSource } from './source.ts'
export { suggest } from './suggest.ts'
export { formatDuration, formatSize, parseDuration, parseSize, readableSize } from './units.ts'
export { watchConfig } from './watch.ts'
