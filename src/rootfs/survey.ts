/**
 * A finished tree on disk, for the tree manifest and the fingerprints: sizes, link counts and times come from the disk,
 * names and file digests from the plan, so that nothing is read twice. A directory is read only when its children are
 * requested, so the tree is never in memory as a whole.
 */
import { toBuffer, type ByteString } from '../bytes.ts'
import type { MtreeNode } from '../mtree/entry.ts'
import { joinPath } from '../plan/names.ts'
import { xattrsOutside } from '../plan/outside.ts'
import type { IdMaps } from '../plan/policy/exact.ts'
import type { Directory, Inode } from '../plan/tree.ts'
import type { Ledger } from '../sys/ledger.ts'
import { listXattrs } from '../sys/metadata.ts'
import { status, type Status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { statusKeywords } from './mtree-entry.ts'
import { readXattrsAt } from './xattrs.ts'

/** A node of the tree manifest, with the status that it was made from. */
export interface SurveyedNode extends MtreeNode {
  status: Status
  children?: readonly SurveyedNode[]
}

/** Calls `use` with the root of the tree in `rootfs`, whose merged tree is `root`; nodes are valid until it returns. */
export function withSurvey<T>(
  rootfs: number,
  root: Directory,
  outside: IdMaps,
  use: (root: SurveyedNode) => T,
  ledger?: Ledger
): T {
  const surveyor = new Surveyor(rootfs, outside, ledger)
  try {
    return use(surveyor.root(root))
  } finally {
    surveyor.release()
  }
}

class Surveyor {
  private readonly cursor: DirectoryCursor
  /** Whether a security module labels everything, including objects without attributes in the image. */
  private readonly labelled: boolean
  private readonly outside: IdMaps

  constructor(rootfs: number, outside: IdMaps, ledger: Ledger | undefined) {
    this.outside = outside
    this.cursor = new DirectoryCursor(rootfs, ledger)
    this.labelled = listXattrs(rootfs, '').includes('security.selinux')
  }

  release(): void {
    this.cursor.release()
  }

  root(root: Directory): SurveyedNode {
    const node = this.node('', this.cursor.at(''), '', hasXattrs(root))
    return this.withChildren({ ...node, name: '.' }, root, '')
  }

  private children(directory: Directory, path: ByteString): SurveyedNode[] {
    const fd = this.cursor.at(path)
    const nodes: SurveyedNode[] = []
    for (const [name, child] of directory.children) {
      const childPath = joinPath(path, name)
      if (child.kind === 'leaf') nodes.push(this.leaf(childPath, fd, name, child.inode))
      else {
        const node = this.node(childPath, fd, name, hasXattrs(child))
        nodes.push(this.withChildren(node, child, childPath))
      }
    }
    return nodes
  }

  private withChildren(node: SurveyedNode, directory: Directory, path: ByteString): SurveyedNode {
    const children = (): SurveyedNode[] => this.children(directory, path)
    return Object.defineProperty(node, 'children', { get: children })
  }

  private leaf(path: ByteString, fd: number, name: ByteString, inode: Inode): SurveyedNode {
    const node = this.node(path, fd, name, inode.hasXattrs)
    if (inode.type === 'symlink') node.link = inode.link
    if (inode.sha256 !== undefined) node.sha256 = toBuffer(inode.sha256).toString('hex')
    return node
  }

  private node(path: ByteString, fd: number, name: ByteString, withXattrs: boolean): SurveyedNode {
    const found = status(fd, name)
    const node: SurveyedNode = {
      name,
      ...statusKeywords(found, this.outside),
      status: found
    }
    if (withXattrs || this.labelled)
      node.xattrs = xattrsOutside(readXattrsAt(this.cursor, path, fd, name), this.outside)
    return node
  }
}

function hasXattrs({ entry }: Directory): boolean {
  return entry !== undefined && entry.xattrs.length > 0
}
