/** What every kind of hook (program, session, function) has in common. */
import type { AnswerFields } from './answer.ts'
import type { Said } from './calls.ts'
import type { HookRequest } from './request.ts'

/** What a hook answers if it does not fail. A failure rejects the promise. */
export type RawAnswer = Said &
  (
    | { readonly status: 'yes'; readonly fields: AnswerFields }
    | { readonly status: 'decline' }
    | { readonly status: 'busy' }
  )

/** Messages and answers come through two pipes, so a message that was sent before an answer may arrive after it. */
export const LATE_STDERR_MS = 20

/** A kind of hook: a program for each call, a process for many, or a function. */
export interface HookKind {
  /**
   * Asks one question. When `stop` is aborted, the promise is rejected with the signal's reason, an error, after
   * everything that was started for the call has ended.
   */
  ask(request: HookRequest, stop: AbortSignal): Promise<RawAnswer>
  close(): Promise<void>
}
