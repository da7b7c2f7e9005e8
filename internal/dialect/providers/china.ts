import type { Profile } from '../profile.ts'
import { accountBilling, modelQuota, overloaded, plan, quota, type Row, rateLimited, requestFault } from '../rows.ts'
import { beijing } from '../zones.ts'

const authorization = 'authorization'
const probe = '/v1/models'

/** DashScope's free tier is per model. Its codes are shared by OpenAI's and by its own shape. */
export const dashscopeWords: readonly Row[] = [
  { code: ['AllocationQuota.FreeTierOnly'], means: modelQuota },
  { code: ['AccessDenied.Unpurchased'], means: plan },
]

/** Moonshot's platform: pay as you go. */
export const moonshot: Profile = {
  provider: 'moonshot',
  offers: {
    openai: { baseUrl: 'https://api.moonshot.ai', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.moonshot.ai/anthropic', secretHeader: authorization, probe },
  },
  zone: beijing,
}

/** Kimi's coding plan. `access_terminated_error` is a used-up plan and a client that is not allowed alike: its sentence decides. */
export const kimi: Profile = {
  provider: 'kimi',
  offers: {
    openai: { baseUrl: 'https://api.kimi.com/coding', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.kimi.com/coding', secretHeader: authorization, probe },
  },
  zone: beijing,
}

/** MiniMax: errors in `base_resp`, also under 200. */
export const minimax: Profile = {
  provider: 'minimax',
  offers: {
    openai: { baseUrl: 'https://api.minimax.io', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.minimax.io/anthropic', secretHeader: authorization, probe },
  },
  rows: [{ code: ['base_resp 2061'], means: { ...plan, scope: 'model' } }],
  zone: beijing,
  errorInOk: true,
}

/** DashScope (Qwen, Model Studio). */
export const dashscope: Profile = {
  provider: 'dashscope',
  offers: {
    openai: {
      baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode',
      secretHeader: authorization,
      probe,
    },
    anthropic: { baseUrl: 'https://dashscope-intl.aliyuncs.com/apps/anthropic', secretHeader: authorization, probe },
  },
  // What OpenAI calls so is money; here it is the tokens of a minute.
  rows: [{ on: [429], code: ['insufficient_quota'], means: { ...rateLimited, hint: null } }, ...dashscopeWords],
  zone: beijing,
  errorInOk: true,
}

/** Volcengine Ark (Doubao and others), pay as you go and the coding plan. */
export const ark: Profile = {
  provider: 'ark',
  offers: {
    openai: { baseUrl: 'https://ark.cn-beijing.volces.com/api/v3', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://ark.cn-beijing.volces.com/api/coding', secretHeader: authorization, probe },
  },
  rows: [
    { code: ['SetLimitExceeded'], means: modelQuota },
    { on: [429], code: ['QuotaExceeded'], means: quota },
    { code: ['InternalServiceError'], on: [429], means: overloaded },
  ],
  zone: beijing,
}

/** SiliconFlow: numbers at the root of the body. */
export const siliconflowWords: readonly Row[] = [
  { on: [400, 402, 403, 429], code: ['30001'], means: accountBilling },
  { on: [429, 503], code: ['50501', '50505'], means: overloaded },
]

/** SiliconFlow. */
export const siliconflow: Profile = {
  provider: 'siliconflow',
  offers: {
    openai: { baseUrl: 'https://api.siliconflow.com', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.siliconflow.com', secretHeader: authorization, probe },
  },
  rows: [...siliconflowWords, { code: ['20012', '20015'], means: requestFault }],
  zone: beijing,
}
