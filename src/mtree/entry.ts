/** The objects that a tree manifest lists, as types. */
import { compareBytes, type ByteString } from '../bytes.ts'
import type { Timespec, Xattr } from '../tar/entry.ts'

/** File types by their names in mtree(5). */
export const MTREE_TYPES = ['file', 'dir', 'link', 'fifo', 'char', 'block', 'socket'] as const
export type MtreeType = (typeof MTREE_TYPES)[number]

/** The keywords of umoci's manifests, in their order on a line. */
export const UMOCI_KEYWORDS = [
  'size',
  'type',
  'uid',
  'gid',
  'mode',
  'link',
  'nlink',
  'tar_time',
  'sha256digest',
  'xattr'
] as const

/** One object of a tree on disk. */
export interface MtreeNode {
  /** One path component; `.` for the root. */
  name: ByteString
  type: MtreeType
  /**
   * As lstat(2) reports it: for a directory whatever the file system counts, for a symlink the length of its target.
   */
  size: number
  /** Host ids. */
  uid: number
  gid: number
  /** 0…0o7777. */
  mode: number
  nlink: number
  /** Whole seconds, rounded down. */
  mtimeSec: number
  /** Symlinks: the target. */
  link?: ByteString
  /** Regular files: 64 hex digits. */
  sha256?: string
  xattrs?: readonly Xattr[]
  /** Directories: in any order. */
  children?: readonly MtreeNode[]
}

/** One line of a tree manifest with its `/set` defaults applied. Undefined: the tree manifest does not say. */
export interface MtreeEntry {
  /** Relative to the root, without `./`; `.` for the root itself. */
  path: ByteString
  type: MtreeType | undefined
  size: number | undefined
  uid: number | undefined
  gid: number | undefined
  mode: number | undefined
  nlink: number | undefined
  link: ByteString | undefined
  /** `tar_time`. */
  mtimeSec: number | undefined
  /** `time`; umoci does not write it. */
  time: Timespec | undefined
  sha256: string | undefined
  xattrs: readonly Xattr[]
  /** All other keywords under their canonical names, with values as written ('' if there is none). */
  other: ReadonlyMap<string, string> | undefined
}

/** A node and the path that leads to it. */
export interface PlacedNode {
  path: ByteString
  node: MtreeNode
}

/** Non-directories first, then directories, each sorted by byte value: the order of a tree manifest's lines. */
export function inTreeManifestOrder<Node extends MtreeNode>(
  children: readonly Node[]
): { leaves: Node[]; directories: Node[] } {
  const leaves: Node[] = []
  const directories: Node[] = []
  for (const child of children) (child.type === 'dir' ? directories : leaves).push(child)
  leaves.sort(byName)
  directories.sort(byName)
  return { leaves, directories }
}

/** Every node with its path, in the order of the tree manifest's lines. Only memory limits the depth. */
export function* placeNodes(root: MtreeNode): Generator<PlacedNode> {
  const pending: PlacedNode[] = [{ path: '.', node: root }]
  for (let placed = pending.pop(); placed !== undefined; placed = pending.pop()) {
    yield placed
    const prefix = placed.path === '.' ? '' : `${placed.path}/`
    const { leaves, directories } = inTreeManifestOrder(placed.node.children ?? [])
    for (const node of leaves) yield { path: prefix + node.name, node }
    for (const node of directories.reverse()) pending.push({ path: prefix + node.name, node })
  }
}

/** An object's place in a tree manifest. */
export interface Place {
  /** Relative to the root; `.` for the root itself. */
  path: ByteString
  isDirectory: boolean
}

/** Compares any two places in the order of a tree manifest's lines. */
export function compareTreeManifestOrder(a: Place, b: Place): number {
  if (a.path === '.' || b.path === '.') return Number(b.path === '.') - Number(a.path === '.')
  const start = commonDirectory(a.path, b.path)
  const [one, other] = [componentAt(a, start), componentAt(b, start)]
  if (one.isDirectory !== other.isDirectory) return one.isDirectory ? 1 : -1
  return compareBytes(one.name, other.name) || a.path.length - b.path.length
}

/** The position where the first differing component begins. */
function commonDirectory(a: ByteString, b: ByteString): number {
  let start = 0
  for (let at = 0; at < a.length && a.charCodeAt(at) === b.charCodeAt(at); at++)
    if (a.charCodeAt(at) === SLASH) start = at + 1
  return start
}

const SLASH = 0x2f

function componentAt({ path, isDirectory }: Place, start: number): MtreeComponent {
  const slash = path.indexOf('/', start)
  if (slash === -1) return { name: path.slice(start), isDirectory }
  return { name: path.slice(start, slash), isDirectory: true }
}

interface MtreeComponent {
  name: ByteString
  isDirectory: boolean
}

/** A scanned node as the line that `formatTreeManifest` would write for it. */
export function toMtreeEntry({ path, node }: PlacedNode): MtreeEntry {
  return {
    path,
    type: node.type,
    size: node.size,
    uid: node.uid,
    gid: node.gid,
    mode: node.mode,
    nlink: node.nlink,
    link: node.link,
    mtimeSec: node.mtimeSec,
    time: undefined,
    sha256: node.sha256,
    xattrs: recordsXattrs(node.type) ? (node.xattrs ?? []) : [],
    other: undefined
  }
}

/** go-mtree looks for xattrs only on these. Others in a tree manifest would look removed to umoci. */
export function recordsXattrs(type: MtreeType): boolean {
  return type === 'file' || type === 'dir'
}

/** Go's `%#o`: with a leading zero, but a plain `0` if there are no permissions at all. */
export function formatMode(mode: number): string {
  return mode === 0 ? '0' : `0${mode.toString(8)}`
}

function byName(a: MtreeNode, b: MtreeNode): number {
  return compareBytes(a.name, b.name)
}
