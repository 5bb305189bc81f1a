/** How often something is tried, and how long to wait in between. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { OciUnpackError } from '../errors.ts'
import { throwIfStopped, type Session } from './session.ts'

/** Something that may go better the next time. */
export interface Setback {
  /** What is thrown if it does not. */
  error: OciUnpackError
  /** For people: `HTTP 503`. */
  reason: string
  /** What the server asks to wait at least. */
  retryAfterMs?: number | undefined
}

/** Thrown to those who count their attempts themselves. */
export class Unlucky extends Error {
  readonly setback: Setback

  constructor(setback: Setback) {
    super(setback.reason)
    this.setback = setback
  }
}

export class Tries {
  private readonly session: Session
  private readonly what: string
  private failed = 0

  /** @param what as in `GET /v2/library/debian/manifests/12` */
  constructor(session: Session, what: string) {
    this.session = session
    this.what = what
  }

  /** Begins to count anew: enough was reached since the last failure. */
  progress(): void {
    this.failed = 0
  }

  /** Waits for the next attempt. @throws the error of the setback if there is none; ABORTED */
  async again({ error, reason, retryAfterMs }: Setback): Promise<void> {
    const { timing, repository, report, signal } = this.session
    throwIfStopped(signal)
    this.failed += 1
    if (this.failed >= timing.attempts) throw error
    if ((retryAfterMs ?? 0) > timing.longestRetryAfter) throw error
    const delayMs = Math.round(Math.max(retryAfterMs ?? 0, this.backoff()))
    report({ type: 'retry', host: repository.host, what: this.what, reason, delayMs })
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
    throwIfStopped(signal)
  }

  /** Doubles each time; the random half keeps many clients from coming back at once. */
  private backoff(): number {
    const { backoff, longestBackoff } = this.session.timing
    const longest = Math.min(backoff * 2 ** (this.failed - 1), longestBackoff)
    return longest * (0.5 + Math.random() / 2)
  }
}

/** Longer pauses are mistakes, such as a time in place of a duration. Docker Hub asks for hours. */
const LONGEST_MEANT_MS = 31 * 86_400_000

/** Seconds or a date (RFC 9110, section 10.2.3), in milliseconds from now. Undefined if that is not a pause. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? ''
  const pauseMs = /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return pauseMs > 0 && pauseMs <= LONGEST_MEANT_MS ? pauseMs : undefined
}
