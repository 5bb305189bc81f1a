/** The error for hooks that are not valid. */
import { OciUnpackError } from '../errors.ts'

interface More {
  /** Counted from 1. */
  line?: number | undefined
  found?: string
  expected?: string
  hint?: string | undefined
  cause?: unknown
}

/** The error for hooks that cannot be used as written; `file` is the hooks.toml. */
export function hooksInvalid(
  file: string | undefined,
  reason: string,
  more: More = {}
): OciUnpackError {
  const { line, hint, cause, ...facts } = more
  return new OciUnpackError('HOOKS_INVALID', 'The hooks are not valid.', {
    facts: {
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...facts,
      reason
    },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause })
  })
}
