/** Compares two trees in everything that a tree has. Shares no decision with the engine: it only looks. */
import { display, fromText, type ByteString } from '../bytes.ts'
import type { Holds } from '../hooks/calls.ts'
import { FileHasher } from '../rootfs/hash-file.ts'
import { walk, type Walked } from '../rootfs/walk.ts'
import { readXattrs } from '../rootfs/xattrs.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { readSymlink } from '../sys/names.ts'

/** What is known about each path (`''` for the root), by field. */
export type Tree = ReadonlyMap<ByteString, ReadonlyMap<string, string>>

/** @param held what is compared of times and attributes */
export function readTree(path: string, held: Holds): Tree {
  const root = openOperatorDirectory(fromText(path))
  const hasher = new FileHasher(root)
  const firstNames = new Map<string, ByteString>()
  try {
    const tree = new Map<ByteString, ReadonlyMap<string, string>>()
    for (const walked of walk(root, new Set()))
      tree.set(walked.path, describe(walked, hasher, firstNames, held))
    return tree
  } finally {
    hasher.release()
    close(root)
  }
}

/** What the two trees are, for people. */
export interface Sides {
  expected: string
  found: string
}

/** A line for each difference, `path: field is …, should be …`; only the first of many. */
export function differences(expected: Tree, found: Tree, sides: Sides): string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort()
  const lines = paths.flatMap((path) => compare(path, expected.get(path), found.get(path), sides))
  if (lines.length <= SHOWN) return lines
  return [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`]
}

const SHOWN = 8

function compare(
  path: ByteString,
  expected: ReadonlyMap<string, string> | undefined,
  found: ReadonlyMap<string, string> | undefined,
  sides: Sides
): string[] {
  const name = path === '' ? '.' : display(path)
  if (expected === undefined) return [`${name}: is only in ${sides.found}`]
  if (found === undefined) return [`${name}: is missing; it is only in ${sides.expected}`]
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((field) => {
    const [is, should] = [found.get(field), expected.get(field)].map((value) => value ?? 'absent')
    return is === should ? [] : [`${name}: ${field} is ${is!}, should be ${should!}`]
  })
}

/** Leaves out size and link count of a directory, which depend on the file system. */
function describe(
  walked: Walked,
  hasher: FileHasher,
  firstNames: Map<string, ByteString>,
  held: Holds
): ReadonlyMap<string, string> {
  const { path, status, directory, name } = walked
  const { type, mode, uid, gid, mtimeSec, mtimeNsec } = status
  const fields = new Map<string, string>([
    ['type', type],
    ['mode', mode.toString(8).padStart(4, '0')],
    ['owner', `${uid}:${gid}`],
    [
      'mtime',
      held.precision === 'seconds' ? String(mtimeSec) : `${mtimeSec}.${fraction(mtimeNsec)}`
    ]
  ])
  for (const [key, value] of readXattrs(directory, name).filter(([key]) => isHeld(key, held)))
    fields.set(`attribute ${display(key)}`, JSON.stringify(display(value)))
  if (type !== 'directory') {
    fields.set('link count', String(status.nlink))
    fields.set('linked with', display(firstName(walked, firstNames)))
  }
  if (type === 'symlink') fields.set('target', display(readSymlink(directory, name)))
  if (type === 'char' || type === 'block')
    fields.set('device', `${status.devMajor}:${status.devMinor}`)
  if (type === 'file') {
    fields.set('size', String(status.size))
    fields.set('content', `sha256 ${hasher.hash(path, () => undefined)}`)
  }
  return fields
}

function fraction(nanoseconds: number): string {
  return String(nanoseconds).padStart(9, '0')
}

function isHeld(key: ByteString, { xattrs }: Holds): boolean {
  return xattrs === undefined || xattrs.includes(key.slice(0, key.indexOf('.')))
}

/** The path at which the object was found first: the same for all names of one file. */
function firstName({ path, status }: Walked, firstNames: Map<string, ByteString>): ByteString {
  const object = `${status.device}:${status.inode}`
  const first = firstNames.get(object) ?? path
  firstNames.set(object, first)
  return first
}
