import type { Profile } from '../profile.ts'
import {
  accountBilling,
  accountClosed,
  authRejected,
  modelMissing,
  overloaded,
  plan,
  quota,
  type Row,
  rateLimited,
  requestFault,
} from '../rows.ts'
import { beijing } from '../zones.ts'

const usedUp = { ...quota, zone: beijing }

/** The numbers of Z.ai and bigmodel.cn (their documentation, "Error codes"), under a limit's status or inside a stream. */
export const zaiLimits: readonly Row[] = [
  { on: [429], code: ['1113'], means: accountBilling },
  { on: [429], code: ['1302', '1303'], means: rateLimited },
  { on: [429], code: ['1305', '1312'], means: overloaded },
  { on: [429], code: ['1304', '1308', '1310'], means: usedUp },
  { on: [429], code: ['1309', '1313'], means: plan },
  { on: [429], code: ['1311'], means: modelMissing },
]

const rows: readonly Row[] = [
  ...zaiLimits,
  { on: [400, 401, 403, 429], code: ['1000', '1001', '1002', '1003', '1004'], means: authRejected },
  { on: [400, 401, 403, 429], code: ['1110', '1111', '1112', '1120', '1121'], means: accountClosed },
  { code: ['1261', '1301'], means: requestFault },
]

/** Z.ai (GLM), pay as you go and the coding plan; bigmodel.cn with another base URL. */
export const zai: Profile = {
  provider: 'zai',
  offers: {
    openai: { baseUrl: 'https://api.z.ai/api/paas/v4', secretHeader: 'authorization', probe: '/v1/models' },
    anthropic: { baseUrl: 'https://api.z.ai/api/anthropic', secretHeader: 'authorization', probe: '/v1/models' },
  },
  rows,
  zone: beijing,
  errorInOk: true,
}
