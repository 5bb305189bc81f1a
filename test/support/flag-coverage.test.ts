/** The judge of the flags, on made-up records. */
import { expect, test } from 'vitest'
import { uncomparedFlags, unusedFlags, usesOf } from './flag-coverage.ts'
import type { RecordedRun } from './run-record.ts'

function run(line: string, more: Partial<RecordedRun> = {}): RecordedRun {
  return { program: 'oci-unpack', args: line.split(' '), status: 0, test: '/test/e2e/a', ...more }
}

test('a run uses a command and its flags, however they are spelled', () => {
  const uses = (line: string): string[] => usesOf({ args: line.split(' ') })
  expect(uses('-log debug rm -image=a:b')).toEqual(['remove', '--log', 'remove --image'])
  expect(uses('raw config --image --tag x')).toEqual([
    'raw runtime-config',
    'raw runtime-config --image'
  ])
  expect(uses('config --platform.os x -- --tag')).toEqual(['config', 'config --os'])
  expect(uses('raw mtree-validate -f x -K y')).toEqual([
    'raw mtree-validate',
    'raw mtree-validate --manifest',
    'raw mtree-validate --add-keywords'
  ])
  for (const line of ['raw', 'nope --image x', '--help']) expect(uses(line)).toEqual([])
})

test('a flag is used by a run of our program that succeeds, in an end-to-end test', () => {
  const used = (more: Partial<RecordedRun>): boolean =>
    !unusedFlags([run('--verbose gc --dry-run --layout x', more)]).includes('gc --dry-run')
  expect(used({})).toBe(true)
  expect(used({ status: 1 })).toBe(false)
  expect(used({ status: null })).toBe(false)
  expect(used({ program: 'umoci' })).toBe(false)
  expect(used({ test: '/test/engine/a' })).toBe(false)
})

test('commands, their flags and those of all commands are asked for', () => {
  expect(unusedFlags([])).toEqual(
    expect.arrayContaining(['unpack', 'raw unpack --max-ratio', '--log', 'hooks gc --layout'])
  )
  const rest = unusedFlags([run('--log=info init --layout x')])
  for (const use of ['init', 'init --layout', '--log']) expect(rest).not.toContain(use)
})

test('a flag is compared where one test gives it to both programs', () => {
  const theirs = ['list', 'list --layout', '--log']
  const umoci = { program: 'umoci' } as const
  const uncompared = (...runs: RecordedRun[]): string[] => uncomparedFlags(runs, theirs)
  const ours = run('ls --layout x')
  expect(uncompared(ours, run('list -layout=y', umoci))).toEqual(['--log'])
  expect(uncompared(ours, run('list', umoci))).toEqual(['list --layout', '--log'])
  expect(uncompared(ours, run('ls --layout x', { ...umoci, test: '/test/e2e/b' }))).toEqual(theirs)
  expect(uncompared(ours, run('ls --layout x', { ...umoci, status: 1 }))).toEqual(theirs)
})
