/**
 * Changes in the text of other programs' files: some values are set or taken back in JSON (with comments), TOML and dotenv,
 * and every other byte stays as it is. Pure: text in, text out.
 */
export { dotenvValue, editDotenv } from './dotenv.ts'
export { editJson, jsonAt } from './json.ts'
export { editToml, tomlAt } from './toml.ts'
export { type Change, EditError, type Path, type Value } from './values.ts'
