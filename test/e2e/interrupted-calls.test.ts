/** Calls that a signal interrupts are made again, and calls that fail are told as such: never with a stack of Node. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeAll(() => {
  work = makeTemporary()
  const all = [
    directory('d/'),
    file('d/x', 'x'.repeat(5000)),
    hardlink('h', 'd/x'),
    symlink('s', 'x')
  ]
  image = buildImage(`${work}/layout`, { layers: [tar(...all), tar(file('d/y', 'y'))] }).reference
})
afterAll(() => removeTemporary(work))

/** Not what the dynamic linker calls, which does not try again, and not read(2), which Node does not repeat for itself. */
const CALLS = [
  ...['copy_file_range', 'fchmod', 'fchmodat', 'fchown', 'fchownat', 'fsync', 'flock', 'ftruncate'],
  ...['linkat', 'lgetxattr', 'llistxattr', 'lseek', 'mkdirat', 'openat2', 'pwrite64', 'renameat2'],
  ...['statx', 'symlinkat', 'unlinkat', 'utimensat']
].join()

describe.runIf(needs('root', 'strace'))('a signal that interrupts every second call', () => {
  test('changes neither a bundle nor what is made of it', () => {
    const bundle = `${work}/bundle`
    expectDone(injected(`${CALLS}:error=EINTR:when=2+2`, 'unpack', '--image', image, bundle))
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    writeFileSync(`${bundle}/rootfs/new`, 'new')
    const repack = ['repack', '--refresh-bundle', '--image', image, bundle]
    expectDone(injected(`${CALLS}:error=EINTR:when=2+2`, ...repack))
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    ociUnpackOk('verify', '--image', image)
  })

  test('spoils no reading of the files of an image', () => {
    const blobs = `${work}/layout/blobs/sha256`
    const paths = readdirSync(blobs).flatMap((name) => ['-P', `${blobs}/${name}`])
    const trace = [...paths, '-e', 'inject=read,pread64:error=EINTR:when=1+2']
    const { status, stderr } = strace(trace, 'raw', 'unpack', '--image', image, `${work}/tree`)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(`${work}/strace`, 'latin1')).toContain('INJECTED')
    expect(readFileSync(`${work}/tree/d/x`, 'utf8')).toBe('x'.repeat(5000))
  })
})

describe.runIf(needs('root', 'strace'))('input/output errors', () => {
  test.each([
    ['fsync', 'new', () => ['--image', `${work}/layout:new`]],
    ['fsync', 'config', () => ['--image', image, '--author=B']],
    ['unlinkat', 'gc', () => ['--layout', garbage()]],
    ['utimensat', 'unpack', () => ['--image', image, `${work}/unmade`]]
  ])('of %s are told by %s in words', (call, command, args) => {
    const { status, stderr } = injected(`${call}:error=EIO:when=1`, command, ...args())
    expect(stderr).toMatch(/(?:input\/output|i\/o) error/)
    expect(stderr).toMatch(/^oci-unpack: The call .* \[SYSCALL_FAILED\]$/m)
    expect(stderr).not.toMatch(/internal error|^ +at /m)
    expect(status).toBe(1)
  })
})

test('too few descriptors are told in words, with what to do', () => {
  const script = 'ulimit -n 40; exec "$@"'
  const args = [...ociUnpackCommand, 'unpack', '--image', image, `${work}/few`]
  const { status, stderr } = run('bash', '-c', script, 'bash', ...args)
  if (status === 0) return
  expect(stderr).toContain('too many open files. [SYSCALL_FAILED]')
  expect(stderr).toContain('  Raise the limit with `ulimit -n`.')
  expect(stderr).not.toMatch(/internal error|^ +at /m)
})

describe('in a working directory that was removed', () => {
  test('an image is verified all the same', () => {
    expect(nowhere('verify', '--image', image)).toMatchObject({ status: 0, stderr: '' })
  })

  test('a path that begins there is an error', () => {
    const { status, stderr } = nowhere('list', '--layout', 'layout')
    expect(stderr).toContain('The working directory was removed. [SYSCALL_FAILED]')
    expect(status).toBe(1)
  })
})

function nowhere(...args: string[]): Run {
  const script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
  return run('sh', '-c', script, `${work}/gone`, ...ociUnpackCommand, ...args)
}

function garbage(): string {
  const layout = `${work}/garbage`
  buildImage(layout, { layers: [] })
  writeFileSync(`${layout}/blobs/sha256/${'ab'.repeat(32)}`, 'loose')
  return layout
}

function expectDone({ status, stderr }: Run): void {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(readFileSync(`${work}/strace`, 'latin1')).toContain('INJECTED')
}

function injected(what: string, ...args: string[]): Run {
  return strace(['-e', `inject=${what}`], ...args)
}

function strace(options: string[], ...args: string[]): Run {
  return run(
    'strace',
    '-f',
    '-qq',
    '-o',
    `${work}/strace`,
    ...options,
    ...ociUnpackCommand,
    ...args
  )
}
