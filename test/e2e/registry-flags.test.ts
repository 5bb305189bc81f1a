/** Flags and variables for registries: where they are accepted, and that no secret in them is shown. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const SECRET = 'hunter2'

let work: string
let image: string
beforeEach(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
  fs.writeFileSync(`${work}/creds`, `me:${SECRET}\nmore\n`)
  fs.writeFileSync(`${work}/layer.tar`, tar(file('g', 'more')))
})
afterEach(() => removeTemporary(work))

test.each([
  'stat --image IMAGE',
  'list --layout WORK/layout',
  'verify --image IMAGE',
  'file list --image IMAGE',
  'file cat --image IMAGE f',
  'file extract --image IMAGE --overwrite f WORK/files',
  'file export --image IMAGE f WORK/NEW',
  'file index --image IMAGE --index WORK/index',
  'file serve --image IMAGE --index WORK/index --run true f',
  'erofs make --image IMAGE WORK/NEW',
  'list --referrers IMAGE',
  'new --image WORK/layout:NEW',
  'tag --image IMAGE NEW',
  'config --image IMAGE --tag NEW',
  'insert --image IMAGE --tag NEW WORK/creds f',
  'raw add-layer --image IMAGE --tag NEW WORK/layer.tar',
  'raw runtime-config --image IMAGE WORK/NEW',
  'unpack --rootless --image IMAGE WORK/NEW',
  'repack --image WORK/layout:NEW WORK/bundle',
  'bundle upgrade --image IMAGE WORK/bundle WORK/NEW',
  ...(needs('root') ? ['raw unpack --image IMAGE WORK/NEW'] : [])
])('%s takes flags for a registry, which do not matter to a layout', (line) => {
  const words = (name: string): string[] =>
    line.split(' ').map((word) => {
      if (word === 'IMAGE') return image
      return word.replace('NEW', name).replace('WORK', () => work)
    })
  if (line.includes('WORK/bundle'))
    ociUnpackOk('unpack', '--rootless', '--image', image, `${work}/bundle`)
  const { stdout } = ociUnpackOk(...words('1'), '--creds', `me:${SECRET}`)
  const rest = ['--authfile=/a', '--cert-dir=/c', '--tls-verify=false', '--creds-fd=3']
  expect(withDescriptor([...words('2'), ...rest]).stdout).toBe(stdout)
})

test('copy takes them for its source and its destination', () => {
  const both = (...flags: string[]): string[] =>
    ['src', 'dest'].flatMap((side) => flags.map((flag) => `--${side}-${flag}`))
  const rest = both('authfile=/a', 'cert-dir=/c', 'tls-verify=false')
  ociUnpackOk('copy', '--authfile=/a', ...rest, ...both('creds=me:x'), image, `${work}/1:t`)
  withDescriptor(['copy', '--src-creds-fd=3', '--dest-creds=me', image, `${work}/2:t`])
  withDescriptor(['copy', '--dest-creds-fd=3', image, `${work}/3:t`])
})

test('credentials come through a pipe, too, and its end is not waited for', async () => {
  const [node, main] = ociUnpackCommand
  const child = spawn(node, [main, 'stat', '--image', image, '--creds-fd=0'], {
    stdio: ['pipe', 'ignore', 'inherit']
  })
  child.stdin.write(`me:${SECRET}\n`)
  expect(await once(child, 'exit')).toEqual([0, null])
})

test.each([
  [['--creds', `:${SECRET}`], 'must contain USER[:PASSWORD]'],
  [['--creds', ''], 'must contain USER[:PASSWORD]'],
  [['--creds', `me:${SECRET}`, '--creds-fd=3'], 'cannot be used together'],
  [['--creds-fd=99'], 'it is not open'],
  [['--creds-fd=x'], 'must be a whole number'],
  [['--userns', '--creds-fd=3'], 'can only be 0'],
  [['--tls-verify=maybe'], 'true, false'],
  [['--src-creds', `me:${SECRET}`], "Unknown option '--src-creds'."],
  [[`--password=me:${SECRET}`], "Unknown option '--password'."]
])('%s is refused', (flags, message) => {
  const { status, stdout, stderr } = ociUnpack('stat', '--image', image, ...flags)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain(message)
  expect(stderr).not.toContain(SECRET)
})

test('a variable that is not USER[:PASSWORD] is not shown', () => {
  const script = `OCI_UNPACK_CREDS=:${SECRET} exec "$@"`
  const { status, stderr } = run(
    'sh',
    '-c',
    script,
    'sh',
    ...ociUnpackCommand,
    'stat',
    '--image',
    image
  )
  expect([status, stderr]).toEqual([1, expect.stringContaining('OCI_UNPACK_CREDS must contain')])
  expect(stderr).not.toContain(SECRET)
})

/** Runs the program with the credentials in descriptor 3. */
function withDescriptor(args: readonly string[]): { stdout: string } {
  return ok('sh', '-c', `exec "$@" 3< ${work}/creds`, 'sh', ...ociUnpackCommand, ...args)
}
