/** Why a daemon ends: it was asked to, or something failed that nobody handles. */
export type Told =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'broken'; readonly error: unknown }

/** Waits for the process to be told to stop. */
export interface Until {
  readonly told: Promise<Told>
  /** A second signal: stop at once. */
  readonly toldAgain: Promise<void>
  onHangUp(run: () => void): void
  stop(): void
}

/** Listens for SIGTERM, SIGINT and SIGHUP, and for errors that would otherwise leave the process half alive. */
export function untilTold(): Until {
  let hangUp = () => {}
  let tell: (why: Told) => void = () => {}
  let tellAgain = () => {}
  let wasTold = false
  const told = new Promise<Told>((resolve) => {
    tell = resolve
  })
  const toldAgain = new Promise<void>((resolve) => {
    tellAgain = resolve
  })
  const end = (why: Told) => {
    if (wasTold && why.kind === 'signal') tellAgain()
    wasTold = true
    tell(why)
  }
  const onSignal = (signal: string) => end({ kind: 'signal', signal })
  const onError = (error: unknown) => end({ kind: 'broken', error })
  const onHangUp = () => hangUp()
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', onHangUp)
  process.on('unhandledRejection', onError).on('uncaughtException', onError)
  return {
    told,
    toldAgain,
    onHangUp(run) {
      hangUp = run
    },
    stop() {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('SIGHUP', onHangUp)
      process.off('unhandledRejection', onError).off('uncaughtException', onError)
    },
  }
}
