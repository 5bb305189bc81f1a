/** What opens an upload session, or fills one, gets some more time after a stop: an answer that is lost may leave a session behind. */
import { aborted } from '../errors.ts'
import type { Session } from './session.ts'

export class Grace {
  /** Resolves when the time begins. */
  readonly begun: Promise<'stopped'>
  /** Whether the time was not enough. */
  isOver = false
  private readonly session: Session
  private readonly end = new AbortController()
  private timer: NodeJS.Timeout | undefined
  private onStop = (): void => undefined

  /** @param ms how much time it gets */
  constructor(session: Session, ms: number) {
    this.session = session
    this.begun = new Promise((resolve) => {
      this.onStop = (): void => {
        const over = (): void => {
          this.isOver = true
          this.end.abort(aborted(session.signal.reason))
        }
        this.timer = setTimeout(over, ms)
        resolve('stopped')
      }
    })
    session.signal.addEventListener('abort', this.onStop)
  }

  /** Fires when the time is over, and when everything is given up earlier. */
  get signal(): AbortSignal {
    return this.end.signal
  }

  giveUp(error: Error): void {
    this.end.abort(error)
  }

  release(): void {
    clearTimeout(this.timer)
    this.session.signal.removeEventListener('abort', this.onStop)
  }
}

/** For a single request. */
export async function withGrace<T>(
  session: Session,
  act: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const grace = new Grace(session, session.timing.cleanUp)
  try {
    return await act(grace.signal)
  } finally {
    grace.release()
  }
}
