/** What came of telling something over one channel, or of asking whether it could be told. */
export interface ChannelReport {
  /** `telegram:42`, `webhook`. */
  readonly channel: string
  /** null: it was delivered, or can be. */
  readonly problem: string | null
}

/** What the verbs ask of those who tell people; implemented by the composition root. */
export interface Notices {
  /** Sends one notice over each channel of the configuration that is in force. */
  test(): Promise<readonly ChannelReport[]>
  /** Asks those channels that can be asked whether a notice would arrive. */
  check(): Promise<readonly ChannelReport[]>
}
