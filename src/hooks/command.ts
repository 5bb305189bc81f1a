/** The command line of a hook, with an absolute path. */
import { resolve } from 'node:path'
import { executable, findOnPath } from '../codec/programs.ts'

/**
 * A command with the absolute path of its program. A program with a slash is relative to `directory`; one without is
 * looked up in the absolute directories of `searchPath`. Returns the reason if it cannot be run.
 */
export function resolveCommand(
  command: readonly string[],
  directory: string,
  searchPath: string | undefined
): readonly [string, ...string[]] | { readonly reason: string } {
  const [program = '', ...args] = command
  const path = program.includes('/')
    ? executable(resolve(directory, program))
    : findOnPath(program, searchPath)
  if (path !== undefined) return [path, ...args]
  const where = program.includes('/') ? resolve(directory, program) : `"${program}" in PATH`
  return { reason: `there is no executable ${where}` }
}
