import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HookSet } from '../../src/hooks/calls.ts'
import { loadHooks, type HookLogLine } from '../../src/hooks/load.ts'
import { hookName, type HookPoint } from '../../src/hooks/points.ts'
import { OciUnpackError } from '../../src/errors.ts'

/** A program of these tests: its path. */
export function program(name: string): string {
  return new URL(`programs/${name}`, import.meta.url).pathname
}

const LAYER_POINTS: readonly HookPoint[] = ['try-skip', 'pre-extract', 'post-extract', 'finish']

/** The text of a hooks.toml in which one command stands at several points; extra lines go into every table. */
export function hooksToml(
  command: readonly string[],
  lines = '',
  points = LAYER_POINTS,
  extract = 'layer'
): string {
  const tables = points.map(
    (point) => `[${hookName(point)}]\ncommand = ${JSON.stringify(command)}\n${lines}\n`
  )
  return [`version = 1\nname = "under test"\nextract = "${extract}"\n`, ...tables].join('\n')
}

/** Writes hooks.toml into the directory; gives its path. */
export function writeToml(directory: string, text: string): string {
  const file = join(directory, 'hooks.toml')
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

export function load(
  directory: string,
  text: string,
  onLog?: (line: HookLogLine) => void,
  env: NodeJS.ProcessEnv = process.env
): HookSet {
  const log = onLog === undefined ? {} : { onLog }
  return loadHooks({ file: writeToml(directory, text), env, ...log })!
}

/** The expected failure of a call. */
export async function failureOf(call: Promise<unknown>): Promise<OciUnpackError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof OciUnpackError) return error
  throw new Error('no expected failure', { cause: error })
}

/** Processes of a group that still run: the dead that nobody has waited for do not count. */
export function membersOf(group: number): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const [, state, , member] =
        /^.*\) (\S) (\d+) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? []
      return member === String(group) && state !== 'Z'
    } catch {
      return false
    }
  })
}
