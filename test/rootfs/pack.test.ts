import { createHash } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ObjectPacker } from '../../src/rootfs/pack.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setXattr } from '../../src/sys/metadata.ts'
import { endOfArchive } from '../../src/tar/writer.ts'
import { readArchive } from '../support/archive.ts'
import { openOperatorDirectory, close } from '../../src/sys/files.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

interface Packed {
  /** `type name -> link = body` of each entry. */
  lines: string[]
  digests: (string | undefined)[]
  xattrs: string[]
  bytes: Buffer
}

/** Packs the paths, each under its own name, of a tree that `make` fills. */
async function pack(make: (root: string) => void, ...paths: string[]): Promise<Packed> {
  const root = makeTemporary()
  make(root)
  const fd = openOperatorDirectory(root)
  const pieces: Buffer[] = []
  const xattrs: string[] = []
  const room = Buffer.alloc(10)
  const output = {
    room: () => room,
    filled: (count: number) => output.write(room.subarray(0, count)),
    write: (bytes: Buffer) => Promise.resolve(void pieces.push(Buffer.from(bytes))),
    zeros: (count: number) => Promise.resolve(void pieces.push(Buffer.alloc(count)))
  }
  const packer = new ObjectPacker(fd, output, {
    rules: { policy: { kind: 'exact', uidMap: [], gidMap: [] }, epoch: undefined },
    write: { precision: 'nanoseconds' },
    digests: true,
    onXattr: (path, [name, value]) => xattrs.push(`${path} ${name}=${value}`)
  })
  try {
    const digests: (string | undefined)[] = []
    for (const path of paths) digests.push(await packer.add(path === '.' ? '' : path, path))
    const bytes = Buffer.concat([...pieces, endOfArchive()])
    return { lines: describeEntries(bytes), digests, xattrs, bytes }
  } finally {
    packer.release()
    close(fd)
    removeTemporary(root)
  }
}

function describeEntries(bytes: Buffer): string[] {
  return readArchive(bytes).map(({ entry, body }) =>
    [
      entry.type,
      entry.name,
      entry.link && `-> ${entry.link}`,
      body.toString() && `= ${body.toString()}`
    ]
      .filter(Boolean)
      .join(' ')
  )
}

describe('ObjectPacker', () => {
  test('writes each kind of object with its body, and gives the digests of files', async () => {
    const { lines, digests } = await pack(
      (root) => {
        mkdirSync(`${root}/d`)
        writeFileSync(`${root}/d/f`, 'body')
        symlinkSync('f', `${root}/d/l`)
      },
      ...['.', 'd', 'd/f', 'd/l']
    )
    expect(lines).toEqual(['directory .', 'directory d/', 'file d/f = body', 'symlink d/l -> f'])
    const digest = createHash('sha256').update('body').digest('hex')
    expect(digests).toEqual([undefined, undefined, digest, undefined])
  })

  test('writes a file once and its further names as links to the first that was asked for', async () => {
    const { lines } = await pack(
      (root) => {
        writeFileSync(`${root}/b`, 'body')
        linkSync(`${root}/b`, `${root}/a`)
        linkSync(`${root}/b`, `${root}/c`)
        symlinkSync('x', `${root}/l1`)
        linkSync(`${root}/l1`, `${root}/l2`)
      },
      ...['b', 'a', 'l1', 'l2']
    )
    expect(lines).toEqual([
      'file b = body',
      'hardlink a -> b',
      'symlink l1 -> x',
      'hardlink l2 -> l1'
    ])
  })

  test('writes a file with a name outside the layer in full', async () => {
    const { lines } = await pack((root) => {
      writeFileSync(`${root}/a`, 'body')
      linkSync(`${root}/a`, `${root}/elsewhere`)
    }, 'a')
    expect(lines).toEqual(['file a = body'])
  })

  test('takes a directory for no link of itself, though it has several names', async () => {
    const { lines } = await pack((root) => mkdirSync(`${root}/d/e`, { recursive: true }), 'd', 'd')
    expect(lines).toEqual(['directory d/', 'directory d/'])
  })

  test('pads bodies that are longer than a block or than the buffer', async () => {
    const { bytes, lines } = await pack(
      (root) => {
        writeFileSync(`${root}/a`, 'x'.repeat(513))
        writeFileSync(`${root}/b`, Buffer.alloc((1 << 20) + 1))
        utimesSync(`${root}/a`, 0, 0)
        utimesSync(`${root}/b`, 0, 0)
      },
      'a',
      'b'
    )
    expect(lines).toHaveLength(2)
    expect(bytes.length).toBe(512 + 1024 + 512 + (1 << 20) + 512 + 1024)
  })

  test('gives the same bytes whatever the umask, the time of day and the inode are', async () => {
    const make = (root: string): void => {
      writeFileSync(`${root}/a`, 'x')
      chmodSync(`${root}/a`, 0o600)
      utimesSync(`${root}/a`, 0, 12.5)
    }
    const one = await pack(make, 'a')
    const umask = process.umask(0o077)
    const two = await pack((root) => {
      writeFileSync(`${root}/before`, '')
      make(root)
    }, 'a')
    process.umask(umask)
    expect(two.bytes).toEqual(one.bytes)
  })

  test('takes what went away since it was looked for as a change', async () => {
    const make = (root: string): void => writeFileSync(`${root}/file`, '')
    for (const path of ['gone', 'gone/x', 'file/x'])
      await expect(pack(make, path)).rejects.toMatchObject({
        code: 'FILE_CHANGED',
        facts: { path }
      })
  })

  test.runIf(needs('root'))('reports an attribute without a value and leaves it out', async () => {
    const { xattrs, bytes } = await pack((root) => {
      writeFileSync(`${root}/a`, '')
      setXattr(AT_FDCWD, `${root}/a`, 'trusted.empty', '')
      setXattr(AT_FDCWD, `${root}/a`, 'trusted.full', '\0\xff')
    }, 'a')
    expect(xattrs).toEqual(['a trusted.empty=', 'a trusted.full=\0\xff'])
    expect(readArchive(bytes)[0]!.entry.xattrs).toEqual([['trusted.full', '\0\xff']])
  })
})
