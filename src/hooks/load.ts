/** Turns the operator's file with programs into a set that the engine can ask. */
import type { HookSet } from './calls.ts'
import type { HooksDefinition } from './definition.ts'
import { baseEnvironment } from './environment.ts'
import { hookSet, type OnBusy } from './hook-set.ts'
import type { HookKind } from './hook-kind.ts'
import { findHooksFile, type LookupOptions } from './lookup.ts'
import { Owner } from './owner.ts'
import { hookName } from './points.ts'
import type { Program } from './process.ts'
import { programHook } from './program-hook.ts'
import { readHooks } from './read-hooks.ts'
import { sessionHook } from './session-hook.ts'
import type { OnStderr } from './stderr-log.ts'

export interface LoadOptions extends LookupOptions {
  readonly onLog?: (line: HookLogLine) => void
  readonly onBusy?: OnBusy
}

/** A line that a hook wrote to standard error, safe to print on a terminal. */
export interface HookLogLine {
  /** The name of the hook set. */
  readonly hooks: string
  /** Undefined for a session, because one process may answer several calls at once. */
  readonly hook: string | undefined
  readonly text: string
}

/**
 * The hooks that the operator set up, or undefined if there are none. Starts no program yet.
 * @throws HOOKS_INVALID, HOOKS_UNSAFE
 */
export function loadHooks(options: LoadOptions): HookSet | undefined {
  const definition = checkHooks(options)
  if (definition === undefined) return undefined
  const { env = process.env, onLog, onBusy } = options
  const onStderr: OnStderr = (text, point) =>
    onLog?.({
      hooks: definition.settings.name,
      hook: point === undefined ? undefined : hookName(point),
      text
    })
  return programHooks(definition, env, onStderr, onBusy)
}

/** What `loadHooks` would use, in full: which program would run for which point. @throws what `loadHooks` throws */
export function checkHooks(options: LookupOptions): HooksDefinition | undefined {
  const file = findHooksFile(options)
  return file === undefined ? undefined : readHooks(file, (options.env ?? process.env).PATH)
}

function programHooks(
  { settings, directory, env, hooks }: HooksDefinition,
  ours: NodeJS.ProcessEnv,
  onStderr: OnStderr,
  onBusy: OnBusy | undefined
): HookSet {
  const environment = baseEnvironment(ours, env)
  const owner = new Owner()
  const sessions = new Map<string, HookKind>()

  /** Points that name the same command share one process. */
  const sessionOf = (program: Program): HookKind => {
    const key = JSON.stringify(program.command)
    const session = sessions.get(key) ?? sessionHook(program, onStderr)
    sessions.set(key, session)
    return session
  }

  return hookSet(
    settings,
    new Map(
      hooks.map(({ point, command, timeout, mode }) => {
        const program = { command, directory, environment, owner }
        const kind = mode === 'session' ? sessionOf(program) : programHook(program, onStderr)
        return [point, { kind, timeout }]
      })
    ),
    owner,
    onBusy
  )
}
