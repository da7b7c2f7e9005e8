/** Where the emitted JavaScript of a script is that stands beside a module: threads run nothing else, also where the module itself runs from its source. */
export function emitted(script: string, module: string): URL {
  if (module.endsWith('.js')) return new URL(`${script}.js`, module)
  const at = module.lastIndexOf('/internal/')
  return new URL(`${script}.js`, `${module.slice(0, at)}/dist${module.slice(at)}`)
}
