/** An image that seems to be there is compared to its last byte, and written anew from where it differs. */
import { linkSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ErofsSink, type NewErofsImage } from '../../src/rootfs/erofs-sink.ts'
import type { LayerMember } from '../support/erofs-image.ts'
import { fileMember, staged, UUID } from '../support/erofs-image.ts'
import { withScratch } from '../support/open-directory.ts'

const HOLE = 2 << 20
const EXTENTS = [0, 4096, HOLE, 100]
const MEMBERS: readonly LayerMember[] = [
  { entry: staged('directory', 'd') },
  fileMember('d/short', Buffer.from('short')),
  fileMember('d/long', Buffer.alloc(600_000, 'long ')),
  { entry: staged('file', 'sparse', { size: HOLE + 100 }), extents: EXTENTS },
  fileMember('empty', Buffer.alloc(0)),
  ...Array.from({ length: 200 }, (_, i) => fileMember(`many/${i}`, Buffer.from(`${i}`)))
]

function make(directory: number, isThere: boolean, uuid = UUID): boolean {
  const description: NewErofsImage = { directory, name: 'image', uuid, isThere }
  const sink = new ErofsSink(description)
  try {
    MEMBERS.forEach(({ entry, body, extents }, i) => {
      sink.entry({ ...entry }, 512 * (i + 1), extents)
      if (extents !== undefined) {
        const bytes = Buffer.alloc(4196, 's')
        sink.data(bytes, 0, 4096, 0)
        sink.data(bytes, 4096, 4196, HOLE)
      } else if (body !== undefined && body.length > 0)
        sink.data(Buffer.from(body), 0, body.length, 0)
      sink.end()
    })
    return sink.finish().wasThere
  } finally {
    sink.close()
  }
}

/** The image as it is made where there is none. */
function rightImage(): Buffer {
  return withScratch((directory, path) => {
    expect(make(directory, false)).toBe(false)
    return readFileSync(`${path}/image`)
  })
}

test('the image itself is left as it is', () => {
  withScratch((directory, path) => {
    make(directory, false)
    const before = statSync(`${path}/image`, { bigint: true })
    expect(make(directory, true)).toBe(true)
    const { ino, mtimeNs, ctimeNs } = statSync(`${path}/image`, { bigint: true })
    expect([ino, mtimeNs, ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs])
  })
})

const RIGHT = rightImage()
const flip =
  (at: number) =>
  (path: string): void => {
    const bytes = Buffer.from(RIGHT)
    bytes[(at + bytes.length) % bytes.length]! ^= 1
    writeFileSync(path, bytes)
  }

test.each<[string, (path: string) => void]>([
  ['other bytes in the first block', flip(1)],
  ['other bytes in the superblock', flip(1024 + 36)],
  ['another first body', flip(4096)],
  ['something behind a body', flip(4096 + 5)],
  ['another end of a body', flip(8192 + 599_999)],
  ['something in a hole', flip(RIGHT.indexOf('ssss') + 8192)],
  ['other metadata', flip(RIGHT.lastIndexOf('199') + 1)],
  ['another last byte', flip(-1)],
  ['no end', (path) => truncateSync(path, RIGHT.length - 4096)],
  ['only a header', (path) => truncateSync(path, 4096)],
  ['nothing', (path) => truncateSync(path, 0)],
  ['something behind it', (path) => truncateSync(path, RIGHT.length + 4096)],
  ['only zeros', (path) => writeFileSync(path, Buffer.alloc(RIGHT.length))]
])('with %s it is replaced, and the file that was there stays as it is', (_name, damage) => {
  withScratch((directory, path) => {
    writeFileSync(`${path}/image`, RIGHT)
    damage(`${path}/image`)
    linkSync(`${path}/image`, `${path}/other-name`)
    const damaged = readFileSync(`${path}/other-name`)
    expect(damaged.equals(RIGHT)).toBe(false)
    expect(make(directory, true)).toBe(false)
    expect(readFileSync(`${path}/image`).equals(RIGHT)).toBe(true)
    expect(readFileSync(`${path}/other-name`).equals(damaged)).toBe(true)
  })
})

test('the image of another layer is replaced', () => {
  withScratch((directory, path) => {
    make(
      directory,
      false,
      UUID.map((byte) => byte + 1)
    )
    expect(make(directory, true)).toBe(false)
    expect(readFileSync(`${path}/image`).equals(RIGHT)).toBe(true)
  })
})
