/** What a process that was killed, or that ran out of room, leaves to the next one. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeEach(() => {
  work = makeTemporary()
  const layers = [tar(directory('etc/'), file('etc/a', 'a'), file('etc/b', 'b'))]
  image = buildImage(`${work}/layout`, { layers }).reference
})
afterEach(() => removeTemporary(work))

function killed(call: string, when: number, ...args: string[]): Run {
  const trace = ['-f', '-qq', '--seccomp-bpf', '-o', '/dev/null']
  const inject = ['-e', `inject=${call}:signal=SIGKILL:when=${when}`]
  return run('strace', ...trace, ...inject, ...ociUnpackCommand, ...args)
}

describe.runIf(needs('root', 'strace', 'python3'))('an unpack that was killed', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'at rename %s of the publication into an empty directory is no obstacle',
    (when) => {
      const bundle = `${work}/bundle`
      fs.mkdirSync(bundle, { mode: 0o755 })
      killed('renameat2', when, 'unpack', '--image', image, bundle)
      ociUnpackOk('unpack', '--image', image, `${work}/whole`)
      if (!fs.existsSync(`${bundle}/umoci.json`)) ociUnpackOk('unpack', '--image', image, bundle)
      expect(compareTrees(`${work}/whole/rootfs`, `${bundle}/rootfs`)).toEqual([])
      expect(ociUnpackOk('diff', bundle).stdout).toBe('')
      expect(fs.readdirSync(bundle).sort()).toEqual(fs.readdirSync(`${work}/whole`).sort())
    }
  )

  test.each([2, 4])('at rename %s of the publication can be deleted', (when) => {
    fs.mkdirSync(`${work}/bundle`)
    killed('renameat2', when, 'unpack', '--image', image, `${work}/bundle`)
    ociUnpackOk('bundle', 'delete', `${work}/bundle`)
    expect(fs.existsSync(`${work}/bundle`)).toBe(false)
  })

  test('leaves what the next run removes, and names with --log info', () => {
    killed('fchmod', 3, 'unpack', '--image', image, `${work}/bundle`)
    const [left] = fs.readdirSync(work).filter((name) => name.startsWith('.bundle.oci-unpack-'))
    expect(left).toBeDefined()
    const { status, stderr } = ociUnpack('--log', 'info', 'unpack', '--image', image, `${work}/x`)
    expect(status).toBe(0)
    expect(stderr).toContain(`removed ${work}/${left!}`)
    expect(fs.readdirSync(work).sort()).toEqual(['layout', 'x'])
  })

  test('leaves what an unpack that goes on beside it does not lose', () => {
    killed('fchmod', 3, 'unpack', '--image', image, `${work}/bundle`)
    const [left] = fs.readdirSync(work).filter((name) => name.startsWith('.bundle.oci-unpack-'))
    const { status } = run(
      'flock',
      `${work}/${left!}`,
      ...ociUnpackCommand,
      ...['unpack', '--image', image, `${work}/x`]
    )
    expect(status).toBe(0)
    expect(fs.existsSync(`${work}/${left!}`)).toBe(true)
  })
})

describe.runIf(needs('root', 'strace'))('what a killed command left is named by', () => {
  const named = (...args: string[]): string => ociUnpack('--log', 'info', ...args).stderr

  test.each(['', 'oci-archive:', 'docker-archive:'])('the next copy beside it: %s', (transport) => {
    const copy = ['copy', image, `${transport}${work}/new:tag`]
    expect(killed('fsync', 1, ...copy).status).not.toBe(0)
    expect(named(...copy)).toMatch(/removed .*\/\.new\.oci-unpack-\w+, which a process left behind/)
  })

  test('the next file cat', () => {
    fs.mkdirSync(`${work}/tmp`)
    const { TMPDIR } = process.env
    process.env.TMPDIR = `${work}/tmp`
    try {
      const cat = ['file', 'cat', '--image', image, 'etc/a']
      expect(killed('unlinkat', 1, ...cat).status).not.toBe(0)
      expect(named(...cat)).toMatch(
        /removed .*\/tmp\/\.oci-unpack-\w+, which a process left behind/
      )
      expect(fs.readdirSync(`${work}/tmp`)).toEqual([])
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    }
  })

  test('the next gc of a layout', () => {
    killed('fsync', 1, 'config', '--image', image, '--author', 'me')
    expect(named('gc', '--layout', `${work}/layout`)).toMatch(/removed \.umoci-\w+, which/)
  })

  test('the next raw unpack, which puts back what it had changed', () => {
    fs.mkdirSync(`${work}/tree/etc`, { recursive: true })
    fs.writeFileSync(`${work}/tree/etc/a`, 'old')
    const unpack = ['raw', 'unpack', '--image', image, `${work}/tree`]
    killed('renameat2', 2, ...unpack)
    expect(named(...unpack)).toContain('undid its changes, and removed')
  })
})

describe.runIf(needs('root', 'strace'))('a refresh that was killed', () => {
  // glibc makes a renameat of a renameat2 that may replace: three blobs, the index, and three files of the bundle
  test.each([
    ...[1, 4, 5, 6, 7].map((when) => ['renameat,renameat2', when] as const),
    ...[2, 3].map((when) => ['unlinkat', when] as const)
  ])('at %s %s leaves one manifest after the next repack', (call, when) => {
    const bundle = `${work}/bundle`
    ociUnpackOk('unpack', '--image', image, bundle)
    fs.writeFileSync(`${bundle}/rootfs/new`, 'new')
    const repack = ['repack', '--refresh-bundle', '--image', `${work}/layout:new`, bundle]
    expect(killed(call, when, ...repack).status).not.toBe(0)
    ociUnpackOk(...repack)
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    const names = fs.readdirSync(bundle)
    expect(names.filter((name) => name.endsWith('.mtree'))).toHaveLength(1)
    expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  })
})

test.runIf(needs('root', 'strace'))('a refresh that was killed leaves nothing after a diff', () => {
  const bundle = `${work}/bundle`
  ociUnpackOk('unpack', '--image', image, bundle)
  const before = fs.readdirSync(bundle)
  fs.writeFileSync(`${bundle}/rootfs/new`, 'new')
  const repack = ['repack', '--refresh-bundle', '--image', `${work}/layout:new`, bundle]
  expect(killed('renameat,renameat2', 7, ...repack).status).not.toBe(0)
  expect(ociUnpackOk('diff', bundle).stdout).toContain('+ new')
  expect(fs.readdirSync(bundle)).toEqual(before)
})

describe.runIf(needs('root', 'strace'))('a deletion that was killed', () => {
  test.each([3, 6, 7, 9])('at removal %s is finished by the next', (when) => {
    ociUnpackOk('unpack', '--image', image, `${work}/bundle`)
    expect(killed('unlinkat', when, 'bundle', 'delete', `${work}/bundle`).status).not.toBe(0)
    if (fs.existsSync(`${work}/bundle/umoci.json`))
      // what is left of the tree must not become an image
      for (const args of [['diff'], ['repack', '--image', `${work}/layout:half`]])
        expect(ociUnpack(...args, `${work}/bundle`).stderr).toContain('BUNDLE_INVALID')
    ociUnpackOk('bundle', 'delete', `${work}/bundle`)
    expect(fs.existsSync(`${work}/bundle`)).toBe(false)
  })
})

describe.runIf(needs('root', 'unshare'))('a refresh without room', () => {
  test('moves no tag and leaves the bundle as it was', () => {
    ociUnpackOk('unpack', '--image', image, `${work}/bundle`)
    fs.writeFileSync(`${work}/bundle/rootfs/new`, 'new')
    fs.mkdirSync(`${work}/small`)
    const script = [
      `mount -t tmpfs -o size=256k tmpfs ${work}/small`,
      `cp -a ${work}/bundle ${work}/small/bundle`,
      `dd if=/dev/zero of=${work}/small/full bs=4k 2>/dev/null || true`,
      `ls -A ${work}/small/bundle >${work}/before`,
      's=0; "$@" || s=$?',
      `ls -A ${work}/small/bundle >${work}/after`,
      'exit $s'
    ].join('\n')
    const repack = ['repack', '--refresh-bundle', '--image', `${work}/layout:new`]
    const { status, stderr } = run(
      ...(['unshare', '--mount', 'sh', '-uc', script, 'sh'] as const),
      ...ociUnpackCommand,
      ...repack,
      `${work}/small/bundle`
    )
    expect(stderr).toContain('no space left on the device')
    expect(stderr).not.toContain('    at ')
    expect(status).toBe(1)
    expect(ok('cat', `${work}/after`)).toEqual(ok('cat', `${work}/before`))
    expect(ociUnpackOk('list', '--layout', `${work}/layout`).stdout).not.toContain('new')
  })
})

describe.runIf(needs('root'))('a link in the place of the state of a bundle', () => {
  test('keeps what it leads to: bundle delete refuses', () => {
    ociUnpackOk('unpack', '--image', image, `${work}/bundle`)
    fs.mkdirSync(`${work}/precious/inside`, { recursive: true })
    fs.symlinkSync(`${work}/precious`, `${work}/bundle/.oci-unpack`)
    const { status, stderr } = ociUnpack('bundle', 'delete', `${work}/bundle`)
    expect(status).toBe(1)
    expect(stderr).toContain('BUNDLE_INVALID')
    expect(fs.existsSync(`${work}/precious/inside`)).toBe(true)
    expect(fs.existsSync(`${work}/bundle/rootfs/etc/a`)).toBe(true)
  })
})
