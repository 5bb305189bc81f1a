/** What every kind of hook (program, session, function) has in common. */
import type { AnswerFields } from './answer.ts'
import type { HookRequest } from './request.ts'

/** What a hook says when it does not fail: then the promise is rejected. */
export type RawAnswer =
  | { readonly status: 'yes'; readonly fields: AnswerFields }
  | { readonly status: 'decline' }
  | { readonly status: 'busy' }

/** What a hook is made of: a program for each call, a process for many, or a function. */
export interface HookKind {
  /**
   * One question. When `stop` is aborted it rejects with the signal's reason, an error, and what was started for
   * the call has ended before.
   */
  ask(request: HookRequest, stop: AbortSignal): Promise<RawAnswer>
  close(): Promise<void>
}
