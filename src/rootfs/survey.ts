/**
 * A finished tree as it lies on disk, for the manifest and the fingerprints: sizes, link counts and times come
 * from the disk, names and file digests from the plan, so that nothing is read twice.
 */
import { compareBytes, type ByteString } from '../bytes.ts'
import type { MtreeNode, MtreeType } from '../mtree/entry.ts'
import { joinPath } from '../plan/names.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Directory, Leaf } from '../plan/tree.ts'
import { getXattr, listXattrs } from '../sys/metadata.ts'
import { status, type FileType, type Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import { DirectoryCursor } from './directory-cursor.ts'

/** A node of the manifest, with what its fingerprint is made of. */
export interface SurveyedNode extends MtreeNode {
  stat: {
    dev: number
    ino: number | bigint
    size: number
    mtime: { sec: number; nsec: number }
    ctime: { sec: number; nsec: number }
  }
}

const mtreeTypes: Readonly<Record<FileType, MtreeType>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  fifo: 'fifo',
  char: 'char',
  block: 'block',
  socket: 'socket'
}

/** @param rootfs descriptor of the directory on disk that `root` describes */
export function survey(rootfs: number, root: Directory): SurveyedNode {
  const surveyor = new Surveyor(rootfs)
  try {
    return surveyor.directory(root, '.', '')
  } finally {
    surveyor.release()
  }
}

class Surveyor {
  private readonly cursor: DirectoryCursor
  /** A security module labels everything, also what the image gives no attributes. */
  private readonly labelled: boolean

  constructor(rootfs: number) {
    this.cursor = new DirectoryCursor(rootfs)
    this.labelled = listXattrs(rootfs, '').includes('security.selinux')
  }

  release(): void {
    this.cursor.release()
  }

  directory(directory: Directory, name: ByteString, path: ByteString): SurveyedNode {
    const fd = this.cursor.at(path)
    const leaves: [ByteString, Leaf][] = []
    const directories: [ByteString, Directory][] = []
    for (const [childName, child] of directory.children)
      if (child.kind === 'leaf') leaves.push([childName, child])
      else directories.push([childName, child])
    leaves.sort(byName)
    directories.sort(byName)
    const node = this.node(fd, '', name, directory.entry)
    const children = leaves.map(([leafName, leaf]) =>
      this.node(fd, leafName, leafName, leaf.inode.entry)
    )
    for (const [childName, child] of directories)
      children.push(this.directory(child, childName, joinPath(path, childName)))
    node.children = children
    return node
  }

  private node(
    fd: number,
    at: ByteString,
    name: ByteString,
    entry: StagedEntry | undefined
  ): SurveyedNode {
    const found = status(fd, at)
    const node: SurveyedNode = {
      name,
      type: mtreeTypes[found.type],
      size: found.size,
      uid: found.uid,
      gid: found.gid,
      mode: found.mode,
      nlink: found.nlink,
      mtimeSec: found.mtimeSec,
      stat: statOf(found)
    }
    if (found.type === 'symlink' && entry !== undefined) node.link = entry.link
    if (entry?.sha256 !== undefined) node.sha256 = entry.sha256
    if (this.labelled || (entry !== undefined && entry.xattrs.length > 0))
      node.xattrs = readXattrs(fd, at)
    return node
  }
}

function byName(a: [ByteString, unknown], b: [ByteString, unknown]): number {
  return compareBytes(a[0], b[0])
}

function statOf(found: Status): SurveyedNode['stat'] {
  return {
    dev: found.device,
    ino: found.inode,
    size: found.size,
    mtime: { sec: found.mtimeSec, nsec: found.mtimeNsec },
    ctime: { sec: found.ctimeSec, nsec: found.ctimeNsec }
  }
}

function readXattrs(fd: number, name: ByteString): Xattr[] {
  return listXattrs(fd, name).flatMap((key): Xattr[] => {
    const value = getXattr(fd, name, key)
    return value === undefined ? [] : [[key, value]]
  })
}
