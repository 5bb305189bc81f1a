/** Whatever Debian's umoci takes is taken here, and what is not has its reason. */
import { describe, expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { NOT_OURS, sharedFlags, umociFlags } from '../support/umoci-flags.ts'
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
    const known = sharedFlags().filter((use) => isDeclared(...split(use)))
    expect(known).toEqual(sharedFlags())
  })

  test('are not listed as missing when they are there', () => {
    const unknown = Object.keys(NOT_OURS).filter((use) => !isDeclared(...split(use)))
    expect(unknown).toEqual(Object.keys(NOT_OURS))
    expect(umociFlags()).toEqual(expect.arrayContaining(unknown))
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
