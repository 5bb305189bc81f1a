/** Pages of the documentation whose code blocks are done, to the letter, in a directory of their own. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { expectOk, run, type Run } from '../support/run.ts'
import { makeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

export type Step = { file: string; body: string } | { command: string; shown: string }

export function readPage(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
}

/**
 * A file is a block behind its name in backticks and a colon; a command is a line of a console behind `$ `, with what
 * it shows below it.
 */
export function stepsOf(text: string): Step[] {
  const blocks = text.matchAll(/(?:`([^`\n]+)`:\n\n)?```(toml|sh|console)\n(.*?\n)```/gs)
  return [...blocks].flatMap(([, name, language, block = '']) => {
    if (language === 'console') return commandsIn(block)
    if (name === undefined) throw new Error(`a file without a name: ${block}`)
    return [{ file: name, body: block }]
  })
}

function commandsIn(block: string): Step[] {
  const [, ...commands] = `\n${block}`.split('\n$ ')
  return commands.map((each) => {
    const [command = '', ...shown] = each.trimEnd().split('\n')
    return { command, shown: shown.join('\n') }
  })
}

export function titleOf(step: Step): string {
  return 'file' in step ? `write ${step.file}` : step.command
}

/** A directory to do a page in, with the built program in its PATH; whoever asks removes it. */
export function makePlace(place = makeTemporary()): string {
  const [node, main] = ociUnpackCommand
  for (const directory of ['bin', 'lib']) mkdirSync(join(place, directory))
  for (const name of ['oci-unpack', 'umoci']) symlinkSync(main, join(place, 'lib', name))
  const program = join(place, 'bin/oci-unpack')
  writeFileSync(program, `#!/bin/sh\nexec ${node} "${place}/lib/$(basename "$0")" "$@"\n`)
  chmodSync(program, 0o755)
  return place
}

/** How a program is started: as somebody else, for example. */
type Start = (program: string, ...args: string[]) => [string, ...string[]]

export function runIn(place: string, command: string, start: Start = (...it) => it): Run {
  return run(...start('env', '-C', place, ...environmentOf(place), 'sh', '-ec', command))
}

/** Writes the file, or runs the command, which must show what the page says. Gives what it shows. */
export function doStep(place: string, step: Step, start?: Start): string {
  if ('file' in step) {
    writeFileSync(join(place, step.file), step.body)
    return ''
  }
  const { stdout } = expectOk(runIn(place, step.command, start), step.command)
  if (step.shown !== '') expect(stdout.trimEnd()).toBe(step.shown)
  return stdout
}

/** Neither the hooks nor the cache of whoever runs the tests. */
function environmentOf(place: string): string[] {
  return [
    '-u',
    'OCI_UNPACK_HOOKS',
    'LC_ALL=C.UTF-8',
    `PATH=${join(place, 'bin')}:${process.env.PATH ?? ''}`,
    `XDG_CONFIG_HOME=${join(place, 'config')}`,
    `XDG_CACHE_HOME=${join(place, 'cache')}`
  ]
}
