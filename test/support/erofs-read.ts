/** What an image contains, as our own reader sees it, in a form that tests can compare. */
import { createHash } from 'node:crypto'
import { compareBytes } from '../../src/bytes.ts'
import type { ReadableDevice } from '../../src/erofs/read-source.ts'
import { ErofsImage } from '../../src/erofs/read-image.ts'
import { walkImage } from '../../src/erofs/read-tree.ts'
import type { Xattr } from '../../src/tar/entry.ts'
import { staged, type LayerMember } from './erofs-image.ts'

export function device(bytes: Uint8Array): ReadableDevice {
  return { length: bytes.length, read: (at, length) => bytes.subarray(at, at + length) }
}

export interface Seen {
  type: string
  mode: number
  uid: number
  gid: number
  mtime: { sec: number; nsec: number }
  /** In the order of their names. */
  xattrs: readonly Xattr[]
  device: readonly [major: number, minor: number]
  link: string
  /** Size and digest of a file. */
  body: string
  /** All paths of the object. */
  names: readonly string[]
}

/** All objects of an image by path; the root is ''. */
export function readAll(...devices: readonly Uint8Array[]): Map<string, Seen> {
  const image = new ErofsImage(devices.map(device))
  const visited = [...walkImage(image)]
  const names = new Map<number, string[]>()
  for (const { path, inode } of visited)
    names.set(inode.nid, [...(names.get(inode.nid) ?? []), path].sort())
  return new Map(
    visited.map(({ path, inode }) => [
      path,
      {
        type: inode.type,
        mode: inode.mode,
        uid: inode.uid,
        gid: inode.gid,
        mtime: inode.mtime,
        xattrs: sorted(image.xattrs(inode)),
        device: [inode.devMajor, inode.devMinor],
        link: inode.type === 'symlink' ? image.target(inode) : '',
        body: inode.type === 'file' ? digestOf(image.content(inode)) : '',
        names: names.get(inode.nid)!
      }
    ])
  )
}

function sorted(xattrs: readonly Xattr[]): Xattr[] {
  return [...xattrs].sort(([a], [b]) => compareBytes(a, b))
}

/** What an image of these entries must contain, if each path comes once. */
export function expectedTree(described: readonly LayerMember[]): Map<string, Seen> {
  const members = [...implied(described), ...described]
  const first = new Map<string, string>()
  for (const { entry } of members)
    first.set(entry.path, entry.type === 'hardlink' ? first.get(entry.link)! : entry.path)
  const byPath = new Map(members.map((member) => [member.entry.path, member]))
  return new Map(
    members.map(({ entry: { path } }): [string, Seen] => {
      const origin = first.get(path)!
      const { entry } = byPath.get(origin)!
      return [
        path,
        {
          type: entry.type,
          mode: entry.type === 'symlink' ? 0o777 : entry.mode,
          uid: entry.uid,
          gid: entry.gid,
          mtime: entry.mtime,
          xattrs: sorted(entry.xattrs),
          device: [entry.devMajor, entry.devMinor],
          link: entry.link,
          body: entry.type === 'file' ? digestOf(wholeBody(byPath.get(origin)!)) : '',
          names: [...first]
            .filter(([, to]) => to === origin)
            .map(([name]) => name)
            .sort()
        }
      ]
    })
  )
}

/** Directories without an entry. */
function implied(members: readonly LayerMember[]): LayerMember[] {
  const paths = new Set(members.map(({ entry }) => entry.path))
  const parents = new Set(
    [...paths].flatMap((path) => {
      const names = path.split('/').slice(0, -1)
      return ['', ...names.map((_, i) => names.slice(0, i + 1).join('/'))]
    })
  )
  return [...parents.add('')]
    .filter((path) => !paths.has(path))
    .map((path) => ({ entry: staged('directory', path, { mode: 0o755 }) }))
}

export function digestOf(body: Uint8Array): string {
  return `${body.length} ${createHash('sha256').update(body).digest('hex')}`
}

/** A file's bytes with its holes. */
export function wholeBody({ entry, body, extents }: LayerMember): Buffer {
  const whole = Buffer.alloc(entry.size)
  let from = 0
  const places = extents ?? [0, body!.length]
  for (let i = 0; i < places.length; i += 2)
    whole.set(body!.subarray(from, (from += places[i + 1]!)), places[i])
  return whole
}
