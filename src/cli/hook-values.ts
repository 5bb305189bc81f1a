/** The flags for hooks as options of the library. */
import type { UnpackOptions } from '../index.ts'
import { isSet, text, type Input } from './command.ts'

/** The hooks that the operator set up, unless the command line chooses others. */
export function hooks(input: Input): Pick<UnpackOptions, 'hooks'> {
  if (isSet(input, 'no-hooks')) return {}
  const trace = text(input, 'trace')
  return {
    hooks: { file: text(input, 'hooks') ?? 'find', ...(trace === undefined ? {} : { trace }) }
  }
}
