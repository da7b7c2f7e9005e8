import { tokenEndpoints } from '../dialect/token-endpoint.ts'

/** The tools whose logins can be imported. */
export const tools = Object.keys(tokenEndpoints) as readonly (keyof typeof tokenEndpoints)[]
