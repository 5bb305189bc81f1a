/** The hooks of one operation, from what its caller asked for to a set that is closed at the end. */
import { appendFileSync } from 'node:fs'
import type { HookSet } from '../../hooks/calls.ts'
import { functionHooks } from '../../hooks/function-hooks.ts'
import { loadHooks } from '../../hooks/load.ts'
import { withTrace } from '../../hooks/trace.ts'
import type { UnpackHooks } from '../../hooks/unpack-hooks.ts'
import type { OnEvent } from './events.ts'

/** Functions, programs that a hooks.toml names, or a set that is open already and stays so. */
export type HooksOption = UnpackHooks | HookFileOption | HookSet

export interface HookFileOption {
  /** Path of a hooks.toml; `find` looks for the operator's (see docs/hooks.md), and there may be none. */
  file: string
  /** A file to which every call is appended as a line of JSON. */
  trace?: string
}

/** Runs `act` with the hooks, if there are any. @throws HOOKS_INVALID, HOOKS_UNSAFE */
export async function withHooks<T>(
  option: HooksOption | undefined,
  onEvent: OnEvent,
  act: (hooks: HookSet | undefined) => Promise<T>
): Promise<T> {
  if (option !== undefined && 'points' in option) return act(option)
  const hooks = option === undefined ? undefined : open(option, onEvent)
  try {
    return await act(hooks)
  } finally {
    await hooks?.close()
  }
}

function open(option: UnpackHooks | HookFileOption, onEvent: OnEvent): HookSet | undefined {
  if (!('file' in option)) return functionHooks(option)
  const set = loadHooks({
    ...(option.file === 'find' ? {} : { file: option.file }),
    onLog: (line) => onEvent({ type: 'hook-log', ...line })
  })
  const { trace } = option
  if (set === undefined || trace === undefined) return set
  return withTrace(set, (record) => appendFileSync(trace, `${JSON.stringify(record)}\n`))
}
