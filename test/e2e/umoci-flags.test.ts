/** Whatever Debian's umoci takes is taken here. */
import { describe, expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { umociFlags } from '../support/umoci-flags.ts'
import { ociUnpackOk } from './cli.ts'

describe.runIf(needs('umoci'))("umoci's own flags", () => {
  test('are read out of its help', () => {
    const flags = umociFlags()
    expect(flags).toEqual(
      expect.arrayContaining(['--log', 'remove', 'raw add-layer --tag', 'config --config.user'])
    )
    expect(flags.length).toBeGreaterThan(70)
  })

  test('are ours too, command by command', () => {
    const flags = umociFlags()
    expect(flags.filter((use) => isDeclared(...split(use)))).toEqual(flags)
  })
})

function split(use: string): [command: string[], flag: string] {
  const [command, flag = 'help'] = use.split('--')
  return [command!.split(' ').filter(Boolean), flag]
}

/** As the help of the built program says. */
function isDeclared(command: readonly string[], flag: string): boolean {
  return new RegExp(`^ +(?:-\\w, )?--${flag.replaceAll('.', '\\.')}(?![\\w.-])`, 'm').test(
    help(command)
  )
}

const helps = new Map<string, string>()

function help(command: readonly string[]): string {
  const known = helps.get(command.join(' ')) ?? ociUnpackOk(...command, '--help').stdout
  helps.set(command.join(' '), known)
  return known
}
