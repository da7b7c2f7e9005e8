/** One thing that was looked at. */
export interface DoctorRow {
  check: string
  state: 'ok' | 'warn' | 'fail'
  message: string
  hint: string | null
}
