import * as fs from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArchive, rewrite } from '../support/archive.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, path, run } from '../support/tree.ts'

const LONG = 'l'.repeat(90)

/** Everything for which umoci leaves plain ustar, and all types. */
function makeTree(root: string): void {
  const deep = join(root, LONG, LONG)
  fs.mkdirSync(deep, { recursive: true })
  fs.writeFileSync(join(deep, 'split'), 'a long path that ustar can divide')
  fs.writeFileSync(join(deep, 'n'.repeat(200)), 'one that it cannot')
  fs.symlinkSync('t'.repeat(150), join(root, 'symlink'))
  fs.writeFileSync(path(root, 'bytes \xff\xe4\n'), 'x'.repeat(700))
  fs.mkdirSync(path(root, 'directory \xff'))
  fs.writeFileSync(join(root, 'ids'), '', { mode: 0o600 })
  fs.chownSync(join(root, 'ids'), 3_000_000, 4_294_967_294)
  fs.writeFileSync(join(root, 'early'), '')
  fs.utimesSync(join(root, 'early'), new Date(-1500), new Date(-1500))
  fs.writeFileSync(join(root, 'late'), '')
  fs.utimesSync(join(root, 'late'), new Date(9e12), new Date(9e12))
  fs.linkSync(join(root, 'late'), join(root, 'link'))
  run('mkfifo', [join(root, 'fifo')])
  run('mknod', [join(root, 'device'), 'c', '1', '3'])
  fs.writeFileSync(join(deep, 'xattr'), 'x')
  run('setfattr', ['-n', 'user.b', '-v', '0xff000a3d', join(deep, 'xattr')])
  run('setfattr', ['-n', 'user.a', '-v', 'text', join(deep, 'xattr')])
}

describe.runIf(needs('umoci', 'setfattr', 'root'))('a layer that umoci made', () => {
  const temporary = makeTemporary()
  let layer: Buffer = Buffer.alloc(0)

  beforeAll(() => {
    const image = join(temporary, 'layout')
    const bundle = join(temporary, 'bundle')
    run('umoci', ['init', '--layout', image])
    run('umoci', ['new', '--image', image])
    run('umoci', ['unpack', '--image', image, bundle])
    makeTree(join(bundle, 'rootfs'))
    run('umoci', ['repack', '--image', image, bundle])
    layer = onlyLayer(image)
  })
  afterAll(() => fs.rmSync(temporary, { recursive: true }))

  test('is read and written again with the same bytes', () => {
    const entries = readArchive(layer)
    expect(entries.length).toBeGreaterThan(10)
    expect(rewrite(entries, 'seconds').equals(layer)).toBe(true)
  })
})

function onlyLayer(image: string): Buffer {
  const blobs = join(image, 'blobs/sha256')
  const contents = fs.readdirSync(blobs).map((name) => fs.readFileSync(join(blobs, name)))
  const zipped = contents.filter((blob) => blob[0] === 0x1f && blob[1] === 0x8b)
  expect(zipped).toHaveLength(1)
  return gunzipSync(zipped[0]!)
}
