import { createHash, randomBytes } from 'node:crypto'

/** The part of the fake authorization server where persons agree: device codes (RFC 8628) and codes with PKCE (RFC 7636). */
export class DeviceDesk {
  readonly #devices = new Map<string, { readonly userCode: string; agreed: boolean | null }>()
  readonly #challenges = new Map<string, string>()

  /** The answer to a device that asks for a code. */
  open(origin: string): Record<string, unknown> {
    const deviceCode = randomBytes(9).toString('base64url')
    const userCode = randomBytes(4).toString('hex').toUpperCase()
    this.#devices.set(deviceCode, { userCode, agreed: null })
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${origin}/activate`,
      expires_in: 60,
      interval: 1,
    }
  }

  decide(userCode: string, agreed: boolean): void {
    for (const device of this.#devices.values()) if (device.userCode === userCode) device.agreed = agreed
  }

  /** A code for the holder of the verifier behind `challenge`. */
  code(challenge: string): string {
    const code = randomBytes(9).toString('base64url')
    this.#challenges.set(code, challenge)
    return code
  }

  /** Whom a code stands for, or the error of the standard. */
  redeem(fields: Readonly<Record<string, string>>): { login: string } | { error: string } {
    if (fields.grant_type === 'authorization_code') {
      const challenge = this.#challenges.get(fields.code ?? '')
      this.#challenges.delete(fields.code ?? '')
      const shown = createHash('sha256')
        .update(fields.code_verifier ?? '')
        .digest('base64url')
      return challenge === shown ? { login: 'person' } : { error: 'invalid_grant' }
    }
    const device = this.#devices.get(fields.device_code ?? '')
    if (!device) return { error: 'invalid_grant' }
    if (device.agreed === null) return { error: 'authorization_pending' }
    return device.agreed ? { login: 'person' } : { error: 'access_denied' }
  }
}
