import { describe, expect, test } from 'vitest'
import { DECOMPRESSOR_VALUES } from '../../src/codec/choice.ts'
import { GROUPS } from '../../src/cli/commands/groups.ts'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { GLOBAL_FLAGS } from '../../src/cli/terminal.ts'
import { ociUnpack, ociUnpackOk } from '../e2e/cli.ts'

describe.each(COMMANDS.map((command) => ({ name: command.path.join(' '), command })))(
  'the help of $name',
  ({ command }) => {
    const { stdout } = ociUnpackOk(...command.path, '--help')

    test('mentions every flag, positional and example', () => {
      const words = stdout.split(/[\s,]+/)
      for (const flag of command.flags) expect(words).toContain(`--${flag.name}`)
      for (const { name } of command.positionals) expect(stdout).toContain(name)
      for (const { name } of command.environment ?? [])
        expect(stdout.split('\n')).toContainEqual(expect.stringMatching(`^  ${name} `))
      for (const example of command.examples) expect(stdout).toContain(`  ${example}\n`)
    })

    test('says what is done in words without gaps', () => {
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(command.summary)
      expect(command.description ?? '').not.toMatch(/ {2}|\n/)
      for (const { summary } of command.flags) expect(summary).not.toMatch(/ {2}|\.$/)
    })

    test('has examples that are commands of this program', () => {
      for (const { name } of command.environment ?? [])
        expect(stdout.split('\n')).toContainEqual(expect.stringMatching(`^  ${name} `))
      for (const example of command.examples)
        expect(example).toContain(`oci-unpack ${command.path.join(' ')} `)
    })
  }
)

test('every --jobs says what 0 means', () => {
  const jobs = COMMANDS.flatMap(({ flags }) => flags.filter(({ name }) => name === 'jobs'))
  expect(jobs.length).toBeGreaterThan(10)
  for (const { summary } of jobs) expect(summary).toMatch(/; 0: no threads\)$/)
})

test('the help of the program lists what is for all commands', () => {
  const { stdout } = ociUnpackOk('--help')
  for (const { name } of GLOBAL_FLAGS) expect(stdout).toContain(`--${name}`)
  for (const { path } of COMMANDS) expect(stdout).toContain(`  ${path[0]!}`)
})

test('the help of a group says what it is for', () => {
  const groups = COMMANDS.filter(({ path }) => path.length > 1).map(({ path }) => path[0]!)
  expect(Object.keys(GROUPS).sort()).toEqual([...new Set(groups)].sort())
  for (const [name, summary] of Object.entries(GROUPS))
    expect(ociUnpackOk(name, '--help').stdout).toContain(`\n${summary}\n`)
})

test('the decompressors that can be chosen are those that the library knows', () => {
  const summary = COMMANDS[0]!.flags.find(({ name }) => name === 'decompressor')?.summary
  expect(summary).toContain(DECOMPRESSOR_VALUES)
})

describe('exit statuses', () => {
  test.each<[string, string[], number]>([
    ['no arguments: help', [], 0],
    ['the version', ['--version'], 0],
    ['a group without a command: help', ['raw'], 0],
    ['help with one dash', ['-help'], 0],
    ['help in one letter', ['h'], 0],
    ['help for a command in one letter', ['raw', 'h', 'unpack'], 0],
    ['help for a command that does not exist', ['help', 'nope'], 3],
    ['a command that does not exist', ['nope'], 3],
    ['a mistake in the arguments', ['unpack'], 1],
    ['an image that is not there', ['unpack', '--image', '/nowhere', '/nowhere/b'], 1],
    [
      'two ways to say how much to say',
      ['--verbose', '--log=info', 'unpack', '--image', 'x', 'b'],
      1
    ]
  ])('of %s', (_name, args, status) => {
    const run = ociUnpack(...args)
    expect(run.status).toBe(status)
    expect(run.stderr === '').toBe(status === 0)
    expect(run.stderr).not.toMatch(/^\s+at /m)
  })

  test('a stack is shown with --log=debug', () => {
    const { stderr } = ociUnpack('--log=debug', 'unpack', '--image', '/nowhere', '/nowhere/b')
    expect(stderr).toMatch(/^\s+at /m)
  })
})
