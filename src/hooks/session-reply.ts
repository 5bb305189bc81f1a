/** One line of a session's process: `{"id", "status", "message"?, …answer}`. */
import { display, fromText } from '../bytes.ts'
import type { AnswerFields } from './answer.ts'
import { answerInvalid, hookFailed } from './failures.ts'
import type { RawAnswer } from './hook-kind.ts'
import { parseFields } from './program-output.ts'

export interface Reply {
  readonly id: number
  readonly status: unknown
  readonly message: unknown
  readonly fields: AnswerFields
}

/** The reply, or an error if the line does not say which question it answers. */
export function readReply(line: Buffer): Reply | Error {
  try {
    const { id, status, message, ...fields } = parseFields(line)
    if (typeof id === 'number') return { id, status, message, fields }
    return answerInvalid('a line has no numeric "id"')
  } catch (error) {
    return error as Error
  }
}

/** What the reply says, why it cannot be used, or that the hook failed. */
export function answerOf({ status, message, fields }: Reply): RawAnswer | Error {
  switch (status) {
    case 'yes':
      return { status, fields }
    case 'decline':
    case 'busy':
      return Object.keys(fields).length === 0 ? { status } : notYes(status, fields)
    case 'failed':
      return hookFailed(
        typeof message === 'string' ? printable(message) : 'it reported a failure without a message'
      )
    default:
      return answerInvalid('its status is unknown', {
        expected: 'yes, decline, busy or failed',
        found: typeof status === 'string' ? printable(status) : typeof status
      })
  }
}

function notYes(status: string, fields: AnswerFields): Error {
  const found = Object.keys(fields).map(printable).join(', ')
  return answerInvalid(`an answer with the status "${status}" cannot have fields`, { found })
}

function printable(text: string): string {
  return display(fromText(text.slice(0, 1000)))
}
