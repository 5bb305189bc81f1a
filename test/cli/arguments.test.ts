import { describe, expect, test } from 'vitest'
import { flagsFor, normalizeArguments } from '../../src/cli/arguments.ts'
import type { Command, Flag } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { helpWordsAsFlag } from '../../src/cli/help-words.ts'
import { parseArguments } from '../../src/cli/program.ts'
import { GLOBAL_FLAGS } from '../../src/cli/terminal.ts'
import { UnknownCommand } from '../../src/cli/unknown-command.ts'
import { failure } from '../support/failure.ts'

const FLAGS: readonly Flag[] = [
  { name: 'image', value: 'REF', summary: '' },
  { name: 'mask-path', value: 'PATH', summary: '', repeatable: true },
  { name: 'history.author', value: 'NAME', summary: '' },
  { name: 'verbose', summary: '' },
  { name: 'os', aliases: ['platform.os'], value: 'OS', summary: '' },
  {
    name: 'keywords',
    aliases: ['k', 'K2', 'image'],
    value: 'LIST',
    summary: '',
    repeatable: true
  },
  { name: 'options', aliases: ['o'], attached: true, value: 'LIST', summary: '', repeatable: true }
]

describe('arguments as Go programs take them', () => {
  test.each<[string, string[], string[]]>([
    ['two dashes and a value apart', ['--image', 'x'], ['--image=x']],
    ['one dash', ['-image', 'x'], ['--image=x']],
    ['a value behind =', ['-image=x', '--image=y'], ['--image=x', '--image=y']],
    ['a value that begins with a dash', ['--image', '-x'], ['--image=-x']],
    ['a value that looks like a flag', ['--image', '--verbose'], ['--image=--verbose']],
    ['a value with = and lines in it', ['--image=a=b\nc'], ['--image=a=b\nc']],
    ['an empty value', ['--image='], ['--image=']],
    ['a name with a dot', ['-history.author', 'me'], ['--history.author=me']],
    [
      'a flag given often',
      ['--mask-path', 'a', '--mask-path=b'],
      ['--mask-path=a', '--mask-path=b']
    ],
    [
      'other names',
      ['-k', 'a', '-k=b', '--K2=c'],
      ['--keywords=a', '--keywords=b', '--keywords=c']
    ],
    [
      'a value behind its letter, where that is usual',
      ['-onosuid,nodev', '-o', 'x', '-o=y', '-os', 'z', '-options', 'w'],
      ['--options=nosuid,nodev', '--options=x', '--options=y', '--os=z', '--options=w']
    ],
    ['a value behind another letter', ['-kvalue'], ['-kvalue']],
    ['a letter that is no name', ['-v', '-h', '-x=1'], ['-v', '-h', '-x=1']],
    ['a switch', ['-verbose', 'x'], ['--verbose', 'x']],
    [
      'a switch that is true',
      ['--verbose=true', '--verbose=1', '--verbose=T'],
      ['--verbose', '--verbose', '--verbose']
    ],
    ['a switch that is false', ['--verbose=false', '--verbose=0', 'x'], ['x']],
    ['a switch with nonsense', ['--verbose=maybe'], ['--verbose=maybe']],
    ['a flag without its value', ['--image'], ['--image']],
    ['flags behind positionals', ['unpack', 'dir', '-image', 'x'], ['unpack', 'dir', '--image=x']],
    ['everything behind --', ['--', '-image', 'x'], ['--', '-image', 'x']],
    ['a flag by its other name', ['-platform.os', 'x', '--platform.os=y'], ['--os=x', '--os=y']],
    ['a flag that nobody knows', ['--nope=1', '-n'], ['--nope=1', '-n']]
  ])('%s', (_name, given, expected) => {
    expect(normalizeArguments(given, FLAGS)).toEqual(expected)
  })
})

test('a flag by both of its names is refused', () => {
  const error = failure(() => normalizeArguments(['--os', 'a', '--platform.os=b'], FLAGS))
  expect(error).toMatchObject({
    code: 'USAGE',
    message: '--os and --platform.os are the same flag.'
  })
})

describe('words that ask for help', () => {
  test.each([
    [['h'], ['--help']],
    [['help'], ['--help']],
    [
      ['h', 'unpack'],
      ['unpack', '--help']
    ],
    [
      ['help', 'ls'],
      ['ls', '--help']
    ],
    [
      ['--log=debug', 'h', '--verbose', 'raw'],
      ['raw', '--help']
    ],
    [
      ['help', 'raw', 'config'],
      ['raw', 'config', '--help']
    ],
    [
      ['raw', 'h', 'unpack'],
      ['raw', 'unpack', '--help']
    ],
    [
      ['raw', 'h'],
      ['raw', '--help']
    ],
    [
      ['file', 'help', 'cat', 'more'],
      ['file', 'cat', '--help']
    ],
    [['h', 'h'], ['--help']],
    [
      ['help', 'unpack', 'nope'],
      ['unpack', '--help']
    ],
    [
      ['help', 'raw', 'nope'],
      ['raw', '--help']
    ],
    [['h', '--help'], ['--help']]
  ])('%j are %j', (given, expected) => {
    expect(helpWordsAsFlag(given, COMMANDS)).toEqual(expected)
  })

  test.each([
    [['unpack', '--image=x', 'help']],
    [['tag', '--image=x', 'h']],
    [['unpack', '--', 'h']],
    [['--', 'help']],
    [['raw', 'unpack', 'h']],
    [[]]
  ])('are not all of these: %j', (given) => {
    expect(helpWordsAsFlag(given, COMMANDS)).toEqual(given)
  })

  test.each([
    [['help', 'nope'], 'nope'],
    [['h', 'nope', 'unpack'], 'nope'],
    [['raw', 'help', 'stat'], 'stat'],
    [['help', 'a\x1b[2J'], 'a\\x1b[2J']
  ])('may have no answer: %j', (given, name) => {
    const error = failure(() => helpWordsAsFlag(given, COMMANDS))
    expect(error).toBeInstanceOf(UnknownCommand)
    expect(error?.message).toBe(`No help topic for '${name}'.`)
  })
})

describe('an argument that is empty', () => {
  const flags = { image: ['--image', 'x'], layout: ['--layout', 'x'] }
  const given = ({ flags: declared }: Command): string[] =>
    declared
      .filter(({ required }) => required === true)
      .flatMap(({ name }) =>
        name === 'image' || name === 'layout' ? flags[name] : [`--${name}`, 'x']
      )
  /** Each argument of each command in turn; commands that take any number get three. */
  const cases = COMMANDS.flatMap((command) => {
    const { positionals, path } = command
    const count = positionals.some(({ variadic }) => variadic === true) ? 3 : positionals.length
    return Array.from({ length: count }, (_, at): [string, string[], number] => {
      const words = Array.from({ length: count }, (_, index) => (index === at ? '' : 'x'))
      return [path.join(' '), [...path, ...given(command), ...words], at + 1]
    })
  })

  test.each([
    ...cases,
    ['insert --whiteout', ['insert', '--image', 'x', '--whiteout', ''], 1] as const,
    ['a command without arguments', ['stat', '--image', 'x', ''], 0] as const
  ])('is refused: %s %j', (_name, args, position) => {
    const expected =
      position === 0 ? 'Too many arguments' : `Argument ${position} of the command is empty.`
    const error = failure(() => parse(...args))
    expect(error).toMatchObject({ code: 'USAGE' })
    expect(error?.message).toContain(expected)
  })
})

describe('the command line', () => {
  test('gives the command with its flags by name', () => {
    const parsed = parse(
      'unpack',
      '--image',
      'l:t',
      'b',
      '--uid-map=0:1',
      '-uid-map',
      '5:6',
      '--verbose'
    )
    expect(parsed?.command.path).toEqual(['unpack'])
    expect(parsed?.input.positionals).toEqual(['b'])
    expect(parsed?.input.flags).toMatchObject({
      image: 'l:t',
      'uid-map': ['0:1', '5:6'],
      verbose: true
    })
  })

  test('knows commands of two words', () => {
    expect(parse('raw', 'unpack', '--image', 'x', 'r')?.command.path).toEqual(['raw', 'unpack'])
  })

  test('knows commands by another name', () => {
    const parsed = parse('raw', 'config', '--image', 'x', 'f')
    expect(parsed?.command.path).toEqual(['raw', 'runtime-config'])
  })

  test('tells a command that does not exist from other mistakes', () => {
    expect(failureOf('unpak')).toBeInstanceOf(UnknownCommand)
    expect(failureOf('raw', 'nope')).toBeInstanceOf(UnknownCommand)
    expect(failureOf('unpack')).not.toBeInstanceOf(UnknownCommand)
  })

  test.each<[string, string[], string]>([
    [
      'an unknown flag',
      ['unpack', '--imag', 'x', 'b'],
      "Unknown option '--imag'. (Did you mean --image?)"
    ],
    ['a missing positional', ['unpack', '--image', 'x'], "Missing required argument 'BUNDLE'."],
    [
      'one positional too many',
      ['unpack', '--image', 'x', 'b', 'c'],
      "Too many arguments for 'unpack'. Expected 1 argument but got 2."
    ],
    [
      'a flag without its value',
      ['unpack', 'b', '--image'],
      "Option '--image <[TRANSPORT:]PATH[:TAG]>' argument missing."
    ],
    [
      'a value that is no choice',
      ['--log', 'loud', 'unpack', '--image', 'x', 'b'],
      "Option '--log <LEVEL>' argument 'loud' is invalid. Allowed choices are debug, info, warn, error, fatal."
    ]
  ])('refuses %s in a sentence', (_name, args, message) => {
    expect(failureOf(...args)).toMatchObject({ code: 'USAGE', message })
  })

  test.each([
    [['list', 'docker://host/x', '--tls-verify', 'false'], 'Write --tls-verify=false.'],
    [['copy', 'docker://host/x', 'l:1', '--creds', 'u:p'], 'Use --src-creds or --dest-creds.'],
    [['copy', 'docker://host/x', 'l:1', '--cred', 'u:p'], 'See --help.'],
    [['list', 'docker://host/x', 'false'], 'See --help.'],
    [['list', 'true', 'docker://host/x'], 'See --help.']
  ])('%j: %s', (args, hint) => {
    expect(failureOf(...args)).toMatchObject({ code: 'USAGE', hint })
  })
})

function parse(...args: string[]): ReturnType<typeof parseArguments> {
  const flags = [...GLOBAL_FLAGS, ...COMMANDS.flatMap((command) => command.flags)]
  const about = { name: 'oci-unpack', summary: '', version: '0' }
  return parseArguments(normalizeArguments(args, flags), COMMANDS, GLOBAL_FLAGS, about)
}

function failureOf(...args: string[]): ReturnType<typeof failure> {
  return failure(() => parse(...args))
}

describe('flags of one name', () => {
  const KEEP: Flag = { name: 'keep', value: 'N', summary: '' }
  const command = (path: string, ...flags: Flag[]): Command =>
    ({ path: path.split(' '), summary: '', positionals: [], flags, examples: [] }) as never
  const both = [command('a prune', KEEP), command('b test', { name: 'keep', summary: '' })]

  test.each<[string, string[], string[]]>([
    ['the one with a value', ['a', 'prune', '--keep', '1', 'x'], ['--keep=1', 'x']],
    ['the switch', ['b', 'test', '--keep', 'x'], ['--keep', 'x']],
    ['with flags before', ['--log', 'b', '--keep=1', 'a', 'prune'], ['--keep=1', 'a', 'prune']]
  ])('are those of the command that is called: %s', (_name, args, normalized) => {
    expect(normalizeArguments(args, flagsFor(args, both)).slice(-normalized.length)).toEqual(
      normalized
    )
  })
})
