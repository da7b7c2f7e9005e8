/** The request cannot be expressed in HTTP/1.1; nothing of it was sent. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
}

/** The answer is not the HTTP that was expected. */
export class InvalidResponse extends Error {
  override readonly name = 'InvalidResponse'
}

/** The head of the answer did not come in its time. */
export class HeadTimeout extends Error {
  override readonly name = 'HeadTimeout'

  constructor() {
    super('no head of an answer in time')
  }
}

/** The rest of the answer did not come in its time. */
export class BodyTimeout extends Error {
  override readonly name = 'BodyTimeout'

  constructor() {
    super('no more of the answer in time')
  }
}

/** All connections to an origin stayed in use for as long as a request may wait for one. */
export class ConnectionsInUse extends Error {
  override readonly name = 'ConnectionsInUse'
  readonly host: string
  readonly connections: number

  constructor(host: string, connections: number) {
    super(`all ${connections} connections to ${host} are in use`)
    this.host = host
    this.connections = connections
  }
}
