/** Opens the hooks that the caller of an operation asked for. */
import { appendFileSync } from 'node:fs'
import { said, type HookSet } from '../../hooks/calls.ts'
import { functionHooks } from '../../hooks/function-hooks.ts'
import type { OnBusy } from '../../hooks/hook-set.ts'
import { loadHooks } from '../../hooks/load.ts'
import { withTrace } from '../../hooks/trace.ts'
import type { UnpackHooks } from '../../hooks/unpack-hooks.ts'
import type { OnEvent } from './events.ts'
import { withReports } from './report-hooks.ts'

/** Functions, programs that a hooks.toml names, or a set that is already open and stays open. */
export type HooksOption = UnpackHooks | HookFileOption | HookSet

export interface HookFileOption {
  /** Path of a hooks.toml; `find` looks for the operator's (see docs/hooks.md), which need not exist. */
  file: string
  /** A file to which every call is appended as a line of JSON. */
  trace?: string
}

export interface OpenedHooks {
  set: HookSet
  /** Does nothing for a set that was already open. */
  close: () => Promise<void>
}

/** Undefined if there are no hooks. @throws HOOKS_INVALID, HOOKS_UNSAFE */
export function openHooks(
  option: HooksOption | undefined,
  onEvent: OnEvent
): OpenedHooks | undefined {
  if (option === undefined) return undefined
  const opened = open(option, onEvent)
  if (opened === undefined) return undefined
  const { set, stop } = withReports(opened.set, onEvent)
  const close = async (): Promise<void> => {
    stop()
    await opened.close()
  }
  return { set, close }
}

function open(option: HooksOption, onEvent: OnEvent): OpenedHooks | undefined {
  if ('points' in option) return { set: option, close: () => Promise.resolve() }
  const set = 'file' in option ? openFile(option, onEvent) : functionHooks(option, warnOf(onEvent))
  return set === undefined ? undefined : { set, close: () => set.close() }
}

function openFile({ file, trace }: HookFileOption, onEvent: OnEvent): HookSet | undefined {
  const set = loadHooks({
    ...(file === 'find' ? {} : { file }),
    onLog: (line) => onEvent({ type: 'hook-log', ...line }),
    onBusy: warnOf(onEvent)
  })
  if (set === undefined || trace === undefined) return set
  return withTrace(set, (record) => appendFileSync(trace, `${JSON.stringify(record)}\n`))
}

/** What a hook waits for is in what it writes, if anywhere. */
function warnOf(onEvent: OnEvent): OnBusy {
  return ({ hooks, hook, timeout, ...busy }) =>
    onEvent({
      type: 'warning',
      message: `A hook is busy, and called again for up to ${timeout / 1000} s. fuser and findmnt show what uses the bundle.`,
      facts: { hooks, hook, ...said(busy) }
    })
}
