/** Random edits of a tree on disk: everything that users and package managers do to one, and what they rarely do. */
import * as fc from 'fast-check'
import * as fs from 'node:fs'
import { listXattrs, removeXattr, setTimes, setXattr } from '../../src/sys/metadata.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { makeSpecial } from '../../src/sys/names.ts'
import { status, type Status } from '../../src/sys/status.ts'

const KINDS = [
  'new file',
  'new directory',
  'new symlink',
  'new fifo',
  'other content',
  'other content, same size and time',
  'delete',
  'to file',
  'to directory',
  'to symlink',
  'chmod',
  'chown',
  'touch',
  'touch within the second',
  'set xattr',
  'remove xattrs',
  'link',
  'break link',
  'swap names',
  'rename',
  'rename there and back',
  'other device'
] as const

export interface Edit {
  kind: (typeof KINDS)[number]
  /** Which path, and which other one where two are needed; counted in the sorted tree, modulo its size. */
  at: number
  other: number
  name: string
  value: number
  /** The parent's times are set back: nothing but the edit itself tells of it. */
  quiet: boolean
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat(1000),
  other: fc.nat(1000),
  name: fc.constantFrom('a', 'b', 'c', 'new', '\xfe', 'a b', 'a-b'),
  value: fc.nat(0o7777),
  quiet: fc.boolean()
})

export const edits: fc.Arbitrary<Edit[]> = fc.array(edit, { minLength: 1, maxLength: 12 })

/** Edits that make no sense where they fall (a file into itself, a link to a directory) are passed over. */
export function applyEdits(root: string, list: readonly Edit[]): void {
  for (const one of list) {
    try {
      applyEdit(root, one)
    } catch (error) {
      if (!isExpected(error)) throw error
    }
  }
}

const EXPECTED = ['EEXIST', 'EINVAL', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'EPERM', 'EBUSY', 'ENOENT']

function isExpected(error: unknown): boolean {
  const { code, errno } = error as { code?: string; errno?: string | number }
  return EXPECTED.includes(String(errno)) || EXPECTED.includes(String(code))
}

const latin1 = (path: string): Buffer => Buffer.from(path, 'latin1')
const look = (path: string): Status => status(AT_FDCWD, path)

function applyEdit(root: string, one: Edit): void {
  const paths = allPaths(root)
  const path = paths[one.at % paths.length]!
  const parents = [path, path === root ? root : path.slice(0, path.lastIndexOf('/'))]
  const before = parents.map((parent) => [parent, look(parent)] as const)
  change(root, one, path, paths[one.other % paths.length]!)
  if (one.quiet)
    for (const [parent, it] of before)
      if (it.type === 'directory' && look(parent).inode === it.inode) restoreTime(parent, it)
}

function change(root: string, { kind, value, name }: Edit, path: string, other: string): void {
  const it = look(path)
  const inside = `${it.type === 'directory' ? path : path.slice(0, path.lastIndexOf('/'))}/${name}`
  switch (kind) {
    case 'new file':
      fs.writeFileSync(latin1(inside), `${value}`, { flag: 'wx' })
      return
    case 'new directory':
      fs.mkdirSync(latin1(inside))
      return
    case 'new symlink':
      fs.symlinkSync(latin1(other.slice(root.length)), latin1(inside))
      return
    case 'new fifo':
      makeSpecial(AT_FDCWD, inside, 'fifo', 0o600, 0, 0)
      return
    case 'other content':
      if (it.type === 'file') fs.writeFileSync(latin1(path), 'other'.repeat(value % 3))
      return
    case 'other content, same size and time':
      if (it.type === 'file') rewriteQuietly(path, it, value)
      return
    case 'delete':
      if (path !== root) fs.rmSync(latin1(path), { recursive: true })
      return
    case 'to file':
    case 'to directory':
    case 'to symlink':
      if (path !== root) replace(path, kind, other.slice(root.length))
      return
    case 'chmod':
      if (it.type !== 'symlink') fs.chmodSync(latin1(path), value)
      return
    case 'chown':
      fs.lchownSync(latin1(path), value % 5, value % 3)
      return
    case 'touch':
      setTimes(AT_FDCWD, path, time(value), time(value))
      return
    case 'touch within the second':
      restoreTime(path, { ...it, mtimeNsec: (it.mtimeNsec + value * 1000 + 1) % 1_000_000_000 })
      return
    case 'set xattr':
      setXattr(AT_FDCWD, path, `trusted.${name.charCodeAt(0)}`, `\0${value}\xff`)
      return
    case 'remove xattrs':
      for (const key of listXattrs(AT_FDCWD, path)) removeXattr(AT_FDCWD, path, key)
      return
    case 'link':
      fs.linkSync(latin1(other), latin1(inside))
      return
    case 'break link':
      if (it.type === 'file' && it.nlink > 1) breakLink(path, it)
      return
    case 'swap names':
      swap(root, path, other)
      return
    case 'rename':
      if (path !== root) fs.renameSync(latin1(path), latin1(`${parentOf(root, other)}/${name}`))
      return
    case 'rename there and back':
      if (path === root) return
      fs.renameSync(latin1(path), latin1(`${root}/there`))
      fs.renameSync(latin1(`${root}/there`), latin1(path))
      return
    case 'other device':
      if (it.type === 'char' || it.type === 'block') otherDevice(path, it, value)
  }
}

function allPaths(root: string): string[] {
  const paths = [root]
  for (const path of paths)
    if (look(path).type === 'directory')
      for (const name of fs.readdirSync(latin1(path), 'latin1').sort())
        paths.push(`${path}/${name}`)
  return paths
}

function parentOf(root: string, path: string): string {
  return look(path).type === 'directory' || path === root
    ? path
    : path.slice(0, path.lastIndexOf('/'))
}

function time(value: number): { sec: number; nsec: number } {
  return { sec: 1_000_000_000 + value, nsec: (value * 123_457) % 1_000_000_000 }
}

function restoreTime(path: string, it: Status): void {
  const mtime = { sec: it.mtimeSec, nsec: it.mtimeNsec }
  setTimes(AT_FDCWD, path, { sec: it.atimeSec, nsec: it.atimeNsec }, mtime)
}

function rewriteQuietly(path: string, it: Status, value: number): void {
  fs.writeFileSync(latin1(path), Buffer.alloc(it.size, value), { flag: 'r+' })
  restoreTime(path, it)
}

function replace(path: string, kind: 'to file' | 'to directory' | 'to symlink', to: string): void {
  fs.rmSync(latin1(path), { recursive: true })
  if (kind === 'to file') fs.writeFileSync(latin1(path), 'file')
  else if (kind === 'to symlink') fs.symlinkSync(latin1(to), latin1(path))
  else {
    fs.mkdirSync(latin1(path))
    fs.writeFileSync(latin1(`${path}/inside`), 'inside')
  }
}

/** A copy that nothing but its inode tells from the file. */
function breakLink(path: string, it: Status): void {
  const copy = `${path}.copy`
  fs.copyFileSync(latin1(path), latin1(copy))
  fs.lchownSync(latin1(copy), it.uid, it.gid)
  fs.chmodSync(latin1(copy), it.mode)
  restoreTime(copy, it)
  fs.renameSync(latin1(copy), latin1(path))
}

function swap(root: string, a: string, b: string): void {
  if (a === b || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)) return
  fs.renameSync(latin1(a), latin1(`${root}/third`))
  fs.renameSync(latin1(b), latin1(a))
  fs.renameSync(latin1(`${root}/third`), latin1(b))
}

function otherDevice(path: string, it: Status, value: number): void {
  if (it.type !== 'char' && it.type !== 'block') return
  fs.rmSync(latin1(path))
  makeSpecial(AT_FDCWD, path, it.type, it.mode, value % 512, value)
  fs.lchownSync(latin1(path), it.uid, it.gid)
  fs.chmodSync(latin1(path), it.mode)
  restoreTime(path, it)
}
