/** `file list`, `file cat` and `file extract` as a user runs them. */
import { readFileSync, mkdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const OWN = { uid: process.geteuid!(), gid: process.getegid!() }

let work: string
let image: string

beforeAll(() => {
  work = makeTemporary()
  const lower = tar(
    directory('etc', OWN),
    file('etc/a', 'one\n', { ...OWN, mode: 0o4755, mtime: 86_400 }),
    symlink('etc/l', 'a', OWN)
  )
  const upper = tar(
    directory('odd', OWN),
    file('odd/\xff', '', { ...OWN, pax: { 'SCHILY.xattr.user.x': '\xfe' } })
  )
  image = buildImage(`${work}/layout`, { layers: [lower, upper] }).reference
})
afterAll(() => removeTemporary(work))

/** All that an unpack takes, too. */
const SHARED = [
  ...['--jobs', '1', '--decompressor', 'none', '--keep-dirlinks', '--max-entries', '10'],
  ...['--max-unpacked-bytes', '100000', '--max-ratio', '1100', '--max-path-bytes', '200'],
  ...['--max-json-bytes', '100000', '--max-pax-bytes', '1000']
]

function shared(): string[] {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  return ['--image', image, '--platform', `linux/${architecture}`, ...SHARED]
}

describe('file list', () => {
  test('prints a path per line, and takes what unpack takes', () => {
    const { stdout } = ociUnpackOk('file', 'list', ...shared())
    expect(stdout).toBe('/\n/etc\n/etc/a\n/etc/l\n/odd\n/odd/\\xff\n')
    expect(ociUnpackOk('file', 'ls', '--image', image, '/etc/a').stdout).toBe('/etc/a\n')
  })

  test('with --long is like ls -l', () => {
    const { uid, gid } = OWN
    const owner = `${String(uid).padStart(5)} ${String(gid).padStart(5)}`
    const { stdout } = ociUnpackOk('file', 'list', '-l', '--image', image, 'etc')
    expect(stdout.split('\n')).toEqual([
      `drwxr-xr-x   1 ${owner}          0 1970-01-01 00:00:00 /etc`,
      `-rwsr-xr-x   1 ${owner}          4 1970-01-02 00:00:00 /etc/a`,
      `lrwxrwxrwx   1 ${owner}          1 1970-01-01 00:00:00 /etc/l -> a`,
      ''
    ])
    expect(ociUnpackOk('file', 'list', '--long', '--image', image, 'etc').stdout).toBe(stdout)
  })

  test('with --json has everything', () => {
    const { stdout } = ociUnpackOk('file', 'list', '--json', '--image', image, 'odd')
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)[1]).toEqual({
      path: '/odd/\\xff',
      pathBase64: Buffer.from('/odd/\xff', 'latin1').toString('base64'),
      type: 'file',
      mode: 0o644,
      ...OWN,
      size: 0,
      mtime: { sec: 0, nsec: 0 },
      inode: 2,
      links: 1,
      xattrs: [{ name: 'user.x', value: '/g==' }]
    })
  })

  test.each(['-0', '--null'])('with %s has the bytes of names', (flag) => {
    // what is not UTF-8 is a replacement character by the time that a test sees it
    const { stdout } = ociUnpackOk('file', 'list', flag, '--image', image)
    expect(stdout).toBe('/\0/etc\0/etc/a\0/etc/l\0/odd\0/odd/\uFFFD\0')
  })
})

test('file cat prints a file, through links, and takes what unpack takes', () => {
  expect(ociUnpackOk('file', 'cat', ...shared(), 'etc/l').stdout).toBe('one\n')
  const { status, stdout, stderr } = ociUnpack('file', 'cat', '--image', image, 'etc/b')
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain('[PATH_NOT_FOUND]')
  expect(ociUnpack('file', 'cat', '--image', image).stderr).toContain('[USAGE]')
})

test.runIf(needs('python3')).each([
  ['list', 'etc', '/etc/l'],
  ['cat', 'etc/a', 'one']
])('file %s %s clears the progress display before it prints', (command, path, last) => {
  const program = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`
  const args = ['file', command, '--image', image, path]
  const { stdout } = run('python3', '-c', program, ...ociUnpackCommand, ...args)
  expect(stdout).toContain('layers verified')
  expect(stdout.slice(stdout.lastIndexOf('\x1b[J'))).toContain(last)
})

test.each([['list'], ['cat'], ['extract']])('file %s takes no empty path', (command) => {
  const { stderr } = ociUnpack(
    'file',
    command,
    '--image',
    image,
    '',
    ...(command === 'extract' ? ['out'] : [])
  )
  expect(stderr).toContain('[USAGE]')
})

test('file extract writes files below a directory, and takes what unpack takes', () => {
  const out = `${work}/out`
  ociUnpackOk('file', 'extract', ...shared(), 'etc/a', 'etc/l', out)
  expect(readFileSync(`${out}/etc/l`, 'utf8')).toBe('one\n')
  const again = ['file', 'extract', '--image', image, 'etc/a', out]
  expect(ociUnpack(...again).stderr).toContain('[TARGET_INVALID]')
  ociUnpackOk(...again, '--overwrite')
  mkdirSync(`${work}/there`)
  ociUnpackOk('file', 'extract', '--image', image, '/', `${work}/there`)
  expect(ociUnpack('file', 'extract', '--image', image, 'etc/a').stderr).toContain('[USAGE]')
})
