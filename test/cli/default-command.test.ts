/** `erofs` without one of its commands. */
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { withDefaultCommand } from '../../src/cli/default-command.ts'

test.each([
  ['erofs --image=a b', 'erofs make --image=a b'],
  ['--log=debug erofs --image=a b', '--log=debug erofs make --image=a b'],
  ['erofs make --image=a b', 'erofs make --image=a b'],
  ['erofs --log=debug verify b', 'erofs --log=debug verify b'],
  ['erofs --help', 'erofs --help'],
  ['erofs -h', 'erofs -h'],
  ['erofs', 'erofs'],
  ['erofs images', 'erofs images'],
  ['bundle --image=a', 'bundle --image=a'],
  ['--help', '--help'],
  ['', '']
])('%s', (given, meant) => {
  expect(withDefaultCommand(given.split(' '), COMMANDS).join(' ')).toBe(meant)
})
