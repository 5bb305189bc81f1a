/** Errors of hooks. Callers that know the call add the hook's name, point and layer (hook-set.ts). */
import { OciUnpackError, type Facts } from '../errors.ts'
import type { Exit } from './process.ts'

interface More {
  found?: string
  expected?: string
  status?: string
  stderr?: string
  hint?: string
  cause?: unknown
}

/** The hook reported a failure or died. */
export function hookFailed(reason: string, more: More = {}): OciUnpackError {
  return hookError('HOOK_FAILED', 'A hook failed.', reason, more)
}

/** The hook gave an answer that its point does not allow. */
export function answerInvalid(reason: string, more: More = {}): OciUnpackError {
  return hookError('HOOK_ANSWER_INVALID', 'The answer of a hook is not valid.', reason, more)
}

/** `limit` in milliseconds. */
export function timedOut(reason: string, limit: number): OciUnpackError {
  return hookError('HOOK_TIMEOUT', 'A hook took too long.', reason, {
    expected: `an answer within ${limit} ms`,
    hint: 'Raise the timeout of this hook, or find out what it waits for with {hooks.trace} and its standard error.'
  })
}

/** `limit` in milliseconds. @param what is in use: the bundle, or the storage */
export function busyTooLong(reason: string, what: string, limit: number): OciUnpackError {
  return hookError('HOOK_TIMEOUT', 'A hook took too long.', reason, {
    expected: `an answer within ${limit} ms`,
    hint: `${what} is in use: end what uses it (processes and mounts; fuser and findmnt show them), or raise the timeout of this hook.`
  })
}

/** The error for a program that ended in an unexpected way; `reason` says when. */
export function endedBadly(exit: Exit, reason: string): OciUnpackError {
  switch (exit.kind) {
    case 'exited':
      return hookFailed(reason, { status: `exit status ${exit.status}` })
    case 'killed':
      return hookFailed(reason, { status: `killed by ${exit.signal}` })
    case 'not-started':
      return hookFailed(exit.reason, exit.code === 'E2BIG' ? { hint: TOO_BIG } : {})
  }
}

const TOO_BIG =
  'The facts of this call do not fit into the environment. Use mode = "session", which gets them only as JSON.'

function hookError(
  code: 'HOOK_FAILED' | 'HOOK_ANSWER_INVALID' | 'HOOK_TIMEOUT',
  message: string,
  reason: string,
  { hint, cause, ...facts }: More
): OciUnpackError {
  return new OciUnpackError(code, message, {
    facts: withoutEmpty({ ...facts, reason }),
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause })
  })
}

function withoutEmpty(facts: Facts): Facts {
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== ''))
}
