/** The program behind `main.ts`, as one graph of modules: the build makes one bundle of it. */
export { programPort } from '../../internal/app/app.ts'
export { runCli } from '../../internal/cli/cli.ts'
