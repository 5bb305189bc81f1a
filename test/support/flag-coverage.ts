/** What recorded runs say about the declared commands and flags: which of them no test passed to the built program. */
import { normalizeArguments } from '../../src/cli/arguments.ts'
import type { Command } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { GLOBAL_FLAGS } from '../../src/cli/terminal.ts'
import type { RecordedRun } from './run-record.ts'

/** `unpack`, `unpack --image`, and `--log` for flags that every command has. */
export function unusedFlags(runs: readonly RecordedRun[]): string[] {
  const used = new Set(runs.filter(isOf('oci-unpack')).flatMap(usesOf))
  const declared = [
    ...COMMANDS.flatMap((command) => [
      nameOf(command),
      ...command.flags.map((flag) => useOf(command, flag.name))
    ]),
    ...GLOBAL_FLAGS.map((flag) => `--${flag.name}`)
  ]
  return declared.filter((use) => !used.has(use))
}

/**
 * Which of umoci's commands and flags, in the form of `unusedFlags`, no test gave to both programs.
 * @param theirs as Debian's umoci declares them
 */
export function uncomparedFlags(runs: readonly RecordedRun[], theirs: readonly string[]): string[] {
  const inTests = (program: RecordedRun['program']): string[] =>
    runs.filter(isOf(program)).flatMap((run) => usesOf(run).map((use) => `${run.test}\0${use}`))
  const ours = new Set(inTests('oci-unpack'))
  const both = inTests('umoci').filter((it) => ours.has(it))
  const compared = new Set(both.map((it) => it.split('\0')[1]))
  return theirs.filter((use) => !compared.has(use))
}

/** The commands and flags that one run used. */
export function usesOf({ args }: Pick<RecordedRun, 'args'>): string[] {
  const words = normalizeArguments(args, ALL_FLAGS)
  const end = words.indexOf('--')
  const before = end === -1 ? words : words.slice(0, end)
  const command = commandOf(before.filter((word) => !word.startsWith('-')))
  if (command === undefined) return []
  const flags = before.flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? [])
  return [nameOf(command), ...flags.map((flag) => useOf(command, flag))]
}

const ALL_FLAGS = [...GLOBAL_FLAGS, ...COMMANDS.flatMap(({ flags }) => flags)]

function commandOf(words: readonly string[]): Command | undefined {
  return COMMANDS.find(({ path, aliases = [] }) =>
    [path.at(-1)!, ...aliases]
      .map((last) => [...path.slice(0, -1), last])
      .some((name) => name.every((word, index) => word === words[index]))
  )
}

function nameOf({ path }: Command): string {
  return path.join(' ')
}

function useOf(command: Command, flag: string): string {
  const isGlobal = GLOBAL_FLAGS.some(({ name }) => name === flag)
  return isGlobal ? `--${flag}` : `${nameOf(command)} --${flag}`
}

/** A flag counts where it was accepted, and only in tests that run the program as users do. */
function isOf(program: RecordedRun['program']): (run: RecordedRun) => boolean {
  return (run) => run.program === program && run.status === 0 && run.test.includes('/test/e2e/')
}
