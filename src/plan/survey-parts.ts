/**
 * The merged tree in parts, for looking at a finished tree with several threads: plain data with what the plan knows and
 * the disk does not say. Parts, and what is in them, are in the order of the tree manifest.
 */
import { compareBytes, type ByteString } from '../bytes.ts'
import { childLabel, ROOT_LABEL } from '../mtree/lines.ts'
import { joinPath } from './names.ts'
import type { Directory, Inode, Node } from './tree.ts'

export interface SurveyPart {
  directories: SurveyDirectory[]
}

export interface SurveyDirectory {
  /** Relative to the root, `''` for the root itself. */
  path: ByteString
  /** Its path in comments of the tree manifest. */
  label: ByteString
  /** Whether the image gives it extended attributes. */
  hasXattrs: boolean
  /** Everything in it but directories. */
  names: ByteString[]
  /** SHA-256 of each of them as 32 bytes, if it is known. */
  digests: (ByteString | undefined)[]
  /** Targets of those that are symbolic links, by position. */
  links: Map<number, ByteString>
  /** Positions of those to which the image gives extended attributes. */
  withXattrs: Set<number>
  /** How many directories, beginning with this one, end after it. */
  ends: number
}

type Step = { kind: 'enter'; directory: Directory; path: ByteString; label: ByteString } | 'leave'

/** @param enough how many objects a part has at least, if there are as many; a directory is never cut */
export function* surveyParts(root: Directory, enough: number): Generator<SurveyPart> {
  let part: SurveyPart = { directories: [] }
  let objects = 0
  const pending: Step[] = [{ kind: 'enter', directory: root, path: '', label: ROOT_LABEL }]
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step === 'leave') {
      part.directories.at(-1)!.ends += 1
      continue
    }
    if (objects >= enough) {
      yield part
      part = { directories: [] }
      objects = 0
    }
    const { directory, path, label } = step
    const { surveyed, below } = survey(directory, path, label)
    part.directories.push(surveyed)
    objects += 1 + surveyed.names.length
    pending.push('leave')
    for (const child of below.reverse())
      pending.push({
        kind: 'enter',
        directory: child,
        path: joinPath(path, child.name),
        label: childLabel(label, child.name)
      })
  }
  yield part
}

/** Whether the owner of a directory may do everything with it, for each directory of the tree. */
export function letsOwnerIn(directory: Directory): boolean {
  const { entry, children } = directory
  if (entry !== undefined && (entry.mode & OWNER_MAY) !== OWNER_MAY) return false
  for (const child of children.values())
    if (child.kind === 'directory' && !letsOwnerIn(child)) return false
  return true
}

const OWNER_MAY = 0o700

function survey(
  directory: Directory,
  path: ByteString,
  label: ByteString
): { surveyed: SurveyDirectory; below: Directory[] } {
  const below: Directory[] = []
  const names: ByteString[] = []
  for (const [name, child] of directory.children)
    if (child.kind === 'directory') below.push(child)
    else names.push(name)
  // Code units of byte strings are bytes, so the default order is theirs; and it is twice as fast.
  names.sort()
  below.sort((a, b) => compareBytes(a.name, b.name))
  const inodes = names.map((name) => inodeOf(directory.children.get(name)!))
  const surveyed = {
    path,
    label,
    hasXattrs: directory.entry !== undefined && directory.entry.xattrs.length > 0,
    names,
    digests: inodes.map(({ sha256 }) => sha256),
    links: new Map<number, ByteString>(),
    withXattrs: new Set<number>(),
    ends: 0
  }
  for (const [position, { type, link, hasXattrs }] of inodes.entries()) {
    if (type === 'symlink') surveyed.links.set(position, link)
    if (hasXattrs) surveyed.withXattrs.add(position)
  }
  return { surveyed, below }
}

function inodeOf(node: Node): Inode {
  if (node.kind === 'leaf') return node.inode
  throw new Error('[internal] a directory is not a leaf')
}
