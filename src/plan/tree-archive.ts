/** How a merged tree becomes an archive of its own: which members it has, and in which order. Pure. */
import { compareBytes, type ByteString } from '../bytes.ts'
import type { TarEntry } from '../tar/entry.ts'
import { joinPath } from './names.ts'
import { packHardlink } from './pack-entry.ts'
import type { StagedEntry } from './staged-entry.ts'
import type { Directory, Inode } from './tree.ts'

/** A file whose content is in a layer. */
export interface ArchivedFile {
  inode: Inode
  /** In byte order. The first one gets the content, and the others are hard links to it. */
  names: ByteString[]
}

/**
 * The content of a file can only come when its layer is read, so it does not come together with its directory. Readers that
 * set the times and modes of a directory when they leave it (GNU tar) would do so too early. So the directory comes
 * again when everything is in it. One in which its owner may not write comes only then.
 */
export interface TreeArchive {
  /** Directories and what has no content, in the order of the tree. */
  before: readonly TarEntry[]
  /**
   * By the number of the layer that contains them, in the order of their content there, so that each layer is read once
   * and in sequence.
   */
  files: ReadonlyMap<number, readonly ArchivedFile[]>
  /** Directories, each after those in it. */
  after: readonly TarEntry[]
}

/**
 * @param root of a tree made of `INDEXED_NODES`
 * @param implicit the metadata of a directory that no layer describes
 */
export function treeArchive(root: Directory, implicit: StagedEntry): TreeArchive {
  const members = new Members(implicit)
  members.addDirectory('', root)
  return { before: members.before, files: members.filesByLayer(), after: members.after }
}

/** The member that comes before the content of a file, and those that follow it. */
export function membersOf({ inode, names: [name, ...others] }: ArchivedFile): {
  first: TarEntry
  links: TarEntry[]
} {
  const first = member(name!, inode.entry!)
  return { first, links: others.map((other) => packHardlink(first, other, name!)) }
}

/** How many bytes of a file its layer stores, beginning at its body. */
export function storedSize({ size, extents }: StagedEntry): number {
  if (extents === undefined) return size
  let sum = 0
  for (let at = 1; at < extents.length; at += 2) sum += extents[at]!
  return sum
}

/** Where the stored bytes of the file begin in the tar of its layer. */
export function bodyOf({ inode }: ArchivedFile): number {
  return inode.entry!.body!
}

const OWNER_MAY_WRITE = 0o700

class Members {
  readonly before: TarEntry[] = []
  readonly after: TarEntry[] = []
  private readonly implicit: StagedEntry
  private readonly files = new Map<Inode, ArchivedFile>()
  private readonly bare = new Map<Inode, TarEntry>()

  constructor(implicit: StagedEntry) {
    this.implicit = implicit
  }

  /** Returns whether it already exists when the content of the files comes. */
  addDirectory(path: ByteString, { entry, children }: Directory): boolean {
    const self = member(path === '' ? './' : `${path}/`, entry ?? this.implicit)
    const isBefore = (self.mode & OWNER_MAY_WRITE) === OWNER_MAY_WRITE
    if (isBefore) this.before.push(self)
    let isComplete = isBefore
    for (const [name, node] of [...children].sort(([a], [b]) => compareBytes(a, b))) {
      const child = joinPath(path, name)
      const isThere =
        node.kind === 'directory' ? this.addDirectory(child, node) : this.addLeaf(child, node.inode)
      isComplete &&= isThere
    }
    if (!isComplete) this.after.push(self)
    return isBefore
  }

  filesByLayer(): Map<number, ArchivedFile[]> {
    const layers = new Map<number, ArchivedFile[]>()
    for (const file of this.files.values()) {
      const others = layers.get(file.inode.layer)
      if (others === undefined) layers.set(file.inode.layer, [file])
      else others.push(file)
    }
    for (const each of layers.values()) each.sort((a, b) => bodyOf(a) - bodyOf(b))
    return new Map([...layers].sort(([a], [b]) => a - b))
  }

  private addLeaf(path: ByteString, inode: Inode): boolean {
    if (!hasContent(inode)) {
      this.addBare(path, inode)
      return true
    }
    const known = this.files.get(inode)
    if (known === undefined) this.files.set(inode, { inode, names: [path] })
    else known.names.push(path)
    return false
  }

  private addBare(path: ByteString, inode: Inode): void {
    const known = this.bare.get(inode)
    const entry =
      known === undefined ? member(path, inode.entry!) : packHardlink(known, path, known.name)
    if (known === undefined) this.bare.set(inode, entry)
    this.before.push(entry)
  }
}

/** A hole is content, too. */
function hasContent({ type, entry }: Inode): boolean {
  return type === 'file' && entry!.size > 0
}

/** With all that the image says, also of what no disk would get. Links have no other mode on Linux. */
function member(name: ByteString, entry: StagedEntry): TarEntry {
  const { type, link, mode, uid, gid, size, mtime, devMajor, devMinor, xattrs, unheld } = entry
  return {
    type: type as TarEntry['type'],
    name,
    link,
    mode: type === 'symlink' ? 0o777 : mode,
    uid,
    gid,
    size,
    mtime,
    devMajor,
    devMinor,
    xattrs: unheld?.xattrs === undefined ? xattrs : [...xattrs, ...unheld.xattrs],
    offset: 0
  }
}
