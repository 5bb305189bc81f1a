import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyUp } from '../../src/rootfs/copy-up.ts'
import { Birthright } from '../../src/rootfs/write-metadata.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { identity } from '../../src/sys/identity.ts'
import { listXattrs, setXattr } from '../../src/sys/metadata.ts'
import { snapshot } from '../reference/snapshot.ts'
import { withOpen } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { writeSparse } from '../support/tree.ts'

const MIB = 1024 * 1024

let scratch: string

beforeEach(() => {
  scratch = makeTemporary()
  mkdirSync(`${scratch}/from`)
  mkdirSync(`${scratch}/to`)
})

afterEach(() => removeTemporary(scratch))

function copyAll(from: string, to: string): void {
  withOpen(from, (source) =>
    withOpen(to, (target) => {
      for (const name of readdirSync(from))
        copyUp(source, name, target, name, {
          form: 'overlay',
          born: new Birthright(identity()),
          onLostXattr: (entry, xattr) => expect.fail(`${entry.path} lost ${xattr}`)
        })
    })
  )
  for (const path of [from, to]) ok('touch', '-d', '@0', path)
}

test.runIf(needs('root'))('every kind of leaf is copied with all that it has', () => {
  const from = `${scratch}/from`
  const script = `
    printf content > file; chmod 4711 file; chown 7:9 file
    setfattr -n trusted.t -v x file; setfattr -n trusted.overlay.overlay.opaque -v y file
    : > empty; ln -s nowhere link; chown -h 7:9 link; setfattr -h -n trusted.t -v y link
    mknod char c 1 3; chmod 621 char; mknod block b 259 65536; mkfifo -m 642 fifo
    touch -h -d '1999-01-02 03:04:05.678901234 UTC' *`
  ok('sh', '-c', `cd ${from} && ${script}`)
  copyAll(from, `${scratch}/to`)
  expect(snapshot(`${scratch}/to`)).toBe(snapshot(from))
})

test.runIf(needs('root'))("attributes that are the mount's own stay behind", () => {
  const from = `${scratch}/from`
  ok('touch', `${from}/a`)
  setXattr(AT_FDCWD, `${from}/a`, 'trusted.overlay.origin', 'x')
  copyAll(from, `${scratch}/to`)
  expect(listXattrs(AT_FDCWD, `${scratch}/to/a`)).toEqual([])
})

/** The second place is on a file system of another kind, to where the kernel does not copy. */
const places: [string, () => string][] = [
  ['on one file system', () => `${scratch}/to`],
  ['between file systems', () => makeShared()]
]

let shared: string | undefined

function makeShared(): string {
  shared = ok('mktemp', '-d', '-p', '/dev/shm', 'oci-unpack-XXXXXX').stdout.trim()
  return shared
}

afterEach(() => {
  if (shared !== undefined) removeTemporary(shared)
  shared = undefined
})

test.each(places)('holes stay holes %s, at the end too', (_, place) => {
  const from = `${scratch}/from`
  writeSparse(`${from}/a`, 64 * MIB, 'data', [0, 9 * MIB, 33 * MIB + 5])
  const to = place()
  copyAll(from, to)
  expect(statSync(`${to}/a`).blocks * 512).toBeLessThan(2 * MIB)
  expect(readFileSync(`${to}/a`).equals(readFileSync(`${from}/a`))).toBe(true)
})

test.runIf(needs('root', 'loop', 'mkfs.btrfs'))('a file system that can shares the blocks', () => {
  const image = `${scratch}/image`
  const mounted = `${scratch}/mounted`
  mkdirSync(mounted)
  ok('truncate', '-s', '128M', image)
  ok('mkfs.btrfs', '-q', image)
  ok('mount', '-o', 'loop', image, mounted)
  try {
    mkdirSync(`${mounted}/from`)
    mkdirSync(`${mounted}/to`)
    ok('dd', 'if=/dev/urandom', `of=${mounted}/from/a`, 'bs=1M', 'count=8', 'status=none')
    ok('truncate', '-s', '+5', `${mounted}/from/a`)
    copyAll(`${mounted}/from`, `${mounted}/to`)
    expect(snapshot(`${mounted}/to`)).toBe(snapshot(`${mounted}/from`))
    ok('sync', '-f', mounted)
    const used = ok('btrfs', 'filesystem', 'du', '--raw', '-s', `${mounted}/to`).stdout
    expect(used).toMatch(/^\s*8388608\s+0\s+8388608\s/m)
  } finally {
    ok('umount', mounted)
  }
})
