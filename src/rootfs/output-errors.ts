/** What is said of an output that cannot be written: its own name and what to do, not the call and the name it has meanwhile. */
import { OciUnpackError } from '../errors.ts'

/** @param name the output as its user named it. Errors that are not about a failed call are returned unchanged */
export function aboutWriting(error: unknown, name: string): unknown {
  if (!(error instanceof OciUnpackError) || error.errno === undefined) return error
  return error.errno === 'EPIPE' ? readerGone(error, name) : failedOutput(error, name)
}

/** The same call that failed, with the name of the output in place of that of its directory or its unfinished file. */
export function failedOutput(error: OciUnpackError, name: string, hint?: string): OciUnpackError {
  const { code, message, errno } = error
  const reason = /: ([^:]*)\.$/.exec(message)?.[1] ?? errno ?? message
  const advice = hint ?? error.hintWith((option) => `{${option}}`)
  return new OciUnpackError(code, `The output cannot be written: ${reason}.`, {
    facts: { path: name },
    ...(advice === undefined ? {} : { hint: advice }),
    ...(errno === undefined ? {} : { errno }),
    cause: error
  })
}

function readerGone(error: OciUnpackError, name: string): OciUnpackError {
  return new OciUnpackError(error.code, 'The reader of the output left before its end.', {
    facts: { path: name },
    hint: 'What was read must not be used: it is incomplete, and its layer was not verified.',
    errno: 'EPIPE',
    cause: error
  })
}
