/** A directory of somebody else that a command may come to, and what of it has to stay as it is. */
import { chmodSync, rmSync } from 'node:fs'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { run } from '../support/run.ts'
import { makeTree, type Box, untouched } from './box.ts'
import { unfitSentence } from './observe.ts'
import { count, countFailure } from './settings.ts'

/** Makes one that has the names which a command looks for. */
export function makeOutside(path: string): string {
  rmSync(path, { recursive: true, force: true })
  for (const name of ['', 'rootfs', 'sha256', 'layers', 'keep', 'bundle', 'manifests'])
    makeTree(`${path}/${name}`)
  chmodSync(path, 0o700)
  return path
}

export interface Obstacle {
  name: string
  /** Makes it, and gives what must stay as it is. */
  prepare: () => string[]
  /** Each finds it made anew. */
  commands: () => readonly (readonly string[])[]
}

/** What is wrong after the commands of an obstacle. */
export function meets(
  box: Box,
  { name, prepare, commands }: Obstacle,
  reset: () => void
): string[] {
  return commands().flatMap((args) => {
    reset()
    return keeps(box, name, prepare(), args)
  })
}

/** What is wrong after a command, which may refuse: that it says so as it should, and `kept` is as it was, down to ctime. */
export function keeps(
  box: Box,
  name: string,
  kept: readonly string[],
  args: readonly string[]
): string[] {
  const before = kept.map(untouched)
  count('obstacles')
  count('commands')
  const settings = Object.entries(box.env).map(([key, value]) => `${key}=${value ?? ''}`)
  const { status, stderr } = run('env', '-i', ...settings, ...ociUnpackCommand, ...args)
  const wrong = kept.filter((path, index) => attempt(path) !== before[index])
  const unfit = unfitSentence(stderr)
  const failures = [
    ...wrong.map((path) => `changed ${path}`),
    ...(unfit === undefined ? [] : [unfit])
  ]
  if (status === null) failures.push('it never ended')
  for (const failure of failures) countFailure(`${name}, ${args[0]!}: ${failure}`)
  return failures.map((it) => `${args.join(' ')}: ${it}`)
}

function attempt(path: string): string {
  try {
    return untouched(path)
  } catch (error) {
    return String(error)
  }
}
