/**
 * The plain way to apply layers: one after another, entry by entry, straight onto the disk, each decision
 * taken by looking at what is there. Slow and simple; the parallel engine is held against it.
 * Shares nothing with src/plan.
 */
import * as fs from 'node:fs'
import {
  setOwner,
  setMode,
  setTimes,
  setXattr,
  listXattrs,
  removeXattr
} from '../../src/sys/metadata.ts'
import { makeSpecial } from '../../src/sys/names.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { status, type Status } from '../../src/sys/status.ts'
import type { TarEntry } from '../../src/tar/entry.ts'

export interface Member {
  entry: TarEntry
  body: Buffer
}

export class Rejected extends Error {}

/** Whether the layers cannot be applied. */
export function isRejected(act: () => void): boolean {
  try {
    act()
    return false
  } catch (error) {
    if (error instanceof Rejected) return true
    throw error
  }
}

export function applySerially(
  root: string,
  layers: readonly (readonly Member[])[],
  keepDirlinks: boolean
): void {
  fs.mkdirSync(root, { mode: 0o755 })
  const serial = new Serial(root, keepDirlinks)
  for (const layer of layers) serial.applyLayer(layer)
  serial.describeDirectories('')
}

/** The same on top of a tree: what no layer describes keeps all that it has. */
export function applySeriallyOver(
  root: string,
  layers: readonly (readonly Member[])[],
  keepDirlinks: boolean
): void {
  const serial = new Serial(root, keepDirlinks)
  serial.keep('')
  for (const layer of layers) serial.applyLayer(layer)
  serial.describeDirectories('')
}

const latin1 = (path: string): Buffer => Buffer.from(path, 'latin1')

class Serial {
  private readonly described = new Map<bigint, TarEntry>()
  /** Directories that were there before. */
  private readonly kept = new Map<bigint, Status>()
  private upper = new Set<string>()
  private readonly root: string
  private readonly keepDirlinks: boolean

  constructor(root: string, keepDirlinks: boolean) {
    this.root = root
    this.keepDirlinks = keepDirlinks
  }

  applyLayer(layer: readonly Member[]): void {
    this.upper = new Set()
    for (const member of layer) this.applyMember(member)
  }

  private applyMember({ entry, body }: Member): void {
    const path = clean(entry.name)
    const base = path.at(-1)
    if (base === undefined) {
      if (entry.type !== 'directory') throw new Rejected('root')
      this.described.set(this.stat('')!.ino, entry)
      return
    }
    const parent = this.resolve(path.slice(0, -1))
    if (base.startsWith('.wh.')) {
      this.applyWhiteout(parent, base)
      return
    }
    const target = join(parent, base)
    this.makeDirectories(parent)
    const present = this.stat(target)
    if (entry.type === 'directory') {
      if (this.keepDirlinks && present?.isSymbolicLink() && this.isDirlink(path)) {
        describe(this.at(target), entry, true)
      } else {
        if (present !== undefined && !present.isDirectory()) this.remove(target)
        if (!present?.isDirectory()) this.makeDirectory(target)
        this.described.set(this.stat(target)!.ino, entry)
      }
    } else if (entry.type === 'hardlink' && this.sourceOf(entry) === target && isLeaf(present)) {
      return
    } else {
      this.remove(target)
      this.create(target, entry, body)
    }
    this.protect(target)
  }

  private create(target: string, entry: TarEntry, body: Buffer): void {
    const at = this.at(target)
    if (entry.type === 'hardlink') {
      const source = this.sourceOf(entry)
      if (source === undefined) throw new Rejected('link to root')
      const present = this.stat(source)
      if (present === undefined || present.isDirectory()) throw new Rejected('link target')
      fs.linkSync(latin1(this.at(source)), latin1(at))
      return
    }
    if (entry.type === 'file') fs.writeFileSync(latin1(at), body)
    else if (entry.type === 'symlink') fs.symlinkSync(latin1(entry.link), latin1(at))
    else if (entry.type !== 'directory')
      makeSpecial(AT_FDCWD, at, entry.type, 0o600, entry.devMajor, entry.devMinor)
    describe(at, entry, entry.type === 'symlink')
  }

  /** What a hard link names; undefined for the root. */
  private sourceOf(entry: TarEntry): string | undefined {
    const link = clean(entry.link)
    const base = link.at(-1)
    return base === undefined ? undefined : join(this.resolve(link.slice(0, -1)), base)
  }

  private applyWhiteout(parent: string, base: string): void {
    const names =
      base === '.wh..wh..opq'
        ? this.stat(parent)?.isDirectory()
          ? fs.readdirSync(latin1(this.at(parent)), 'latin1')
          : []
        : [base.slice(4)]
    for (const name of names) this.clear(join(parent, name))
  }

  private clear(path: string): void {
    const present = this.stat(path)
    if (present === undefined) return
    if (!this.upper.has(path)) this.remove(path)
    else if (present.isDirectory())
      for (const name of fs.readdirSync(latin1(this.at(path)), 'latin1'))
        this.clear(join(path, name))
  }

  private protect(path: string): void {
    const names = path.split('/')
    while (names.length > 0) {
      this.upper.add(names.join('/'))
      names.pop()
    }
  }

  private remove(path: string): void {
    fs.rmSync(latin1(this.at(path)), { recursive: true, force: true })
  }

  private makeDirectories(path: string): void {
    const names = path === '' ? [] : path.split('/')
    for (let count = 1; count <= names.length; count++) {
      const prefix = names.slice(0, count).join('/')
      const present = this.stat(prefix)
      if (present?.isDirectory()) continue
      if (present !== undefined) this.remove(prefix)
      this.makeDirectory(prefix)
    }
  }

  /** Some file systems give a new directory the inode number of one that was removed. */
  private makeDirectory(path: string): void {
    fs.mkdirSync(latin1(this.at(path)))
    this.described.delete(this.stat(path)!.ino)
    this.kept.delete(this.stat(path)!.ino)
  }

  private isDirlink(path: readonly string[]): boolean {
    try {
      return this.stat(this.resolve(path))?.isDirectory() === true
    } catch (error) {
      if (error instanceof Rejected) return false
      throw error
    }
  }

  /** Like securejoin: components one by one, links expanded inside the root, what is missing taken as it is. */
  private resolve(names: readonly string[]): string {
    let done: string[] = []
    const rest = [...names]
    let links = 0
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        done.pop()
        continue
      }
      const next = [...done, name].join('/')
      if (!this.stat(next)?.isSymbolicLink()) {
        done.push(name)
        continue
      }
      if (++links > 255) throw new Rejected('loop')
      const target = fs.readlinkSync(latin1(this.at(next)), 'latin1')
      if (target.startsWith('/')) done = []
      rest.unshift(...target.split('/'))
    }
    return done.join('/')
  }

  keep(path: string): void {
    const found = status(AT_FDCWD, this.at(path))
    this.kept.set(found.inode, found)
    for (const name of fs.readdirSync(latin1(this.at(path)), 'latin1')) {
      const inner = join(path, name)
      if (this.stat(inner)!.isDirectory()) this.keep(inner)
    }
  }

  describeDirectories(path: string): void {
    for (const name of fs.readdirSync(latin1(this.at(path)), 'latin1')) {
      const inner = join(path, name)
      if (this.stat(inner)!.isDirectory()) this.describeDirectories(inner)
    }
    const { ino } = this.stat(path)!
    const entry = this.described.get(ino)
    const before = this.kept.get(ino)
    if (entry !== undefined) describe(this.at(path), entry, false)
    else if (before !== undefined) restoreTimes(this.at(path), before)
    else describeByNobody(this.at(path))
  }

  private stat(path: string): fs.BigIntStats | undefined {
    try {
      return fs.lstatSync(latin1(this.at(path)), { bigint: true })
    } catch {
      return undefined
    }
  }

  private at(path: string): string {
    return join(this.root, path)
  }
}

function isLeaf(present: { isDirectory(): boolean } | undefined): boolean {
  return present !== undefined && !present.isDirectory()
}

function restoreTimes(at: string, before: Status): void {
  const atime = { sec: before.atimeSec, nsec: before.atimeNsec }
  setTimes(AT_FDCWD, at, atime, { sec: before.mtimeSec, nsec: before.mtimeNsec })
}

function describeByNobody(at: string): void {
  for (const key of listXattrs(AT_FDCWD, at)) removeXattr(AT_FDCWD, at, key)
  fs.chownSync(latin1(at), 0, 0)
  fs.chmodSync(latin1(at), 0o755)
  fs.utimesSync(latin1(at), 0, 0)
}

function describe(at: string, entry: TarEntry, link: boolean): void {
  setOwner(AT_FDCWD, at, entry.uid, entry.gid)
  if (!link) setMode(AT_FDCWD, at, entry.mode)
  for (const key of listXattrs(AT_FDCWD, at)) removeXattr(AT_FDCWD, at, key)
  for (const [key, value] of entry.xattrs) setXattr(AT_FDCWD, at, key, value)
  setTimes(AT_FDCWD, at, entry.atime ?? entry.mtime, entry.mtime)
}

function clean(name: string): string[] {
  const names: string[] = []
  for (const part of name.split('/'))
    if (part === '..') names.pop()
    else if (part !== '' && part !== '.') names.push(part)
  return names
}

function join(parent: string, name: string): string {
  return parent === '' ? name : name === '' ? parent : `${parent}/${name}`
}
