/**
 * What an image says of the objects in a bundle and the disk of its user does not hold: owners of links, device numbers,
 * capabilities. Kept in a file beside the tree manifest, and added again by a repack.
 *
 * An object is still the same if it has the inode and the time of birth that it had, wherever it was renamed to. In a copy of the bundle
 * every inode is another; there, an object of the same type at the same path is the same.
 */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Unheld } from '../plan/policy/metadata-policy.ts'
import type { Status } from '../sys/status.ts'
import type { Timespec, Xattr } from '../tar/entry.ts'

/** An object as it is on disk. */
export interface ObjectOnDisk {
  /** Relative to the root; `.` for the root itself. */
  path: ByteString
  status: Status
  /** Target of a symbolic link; empty otherwise. */
  link: ByteString
  /** When it was made; undefined if the file system does not say. Asked for only if it matters. */
  born: () => Timespec | undefined
  /** SHA-256 (hex) of a file's content. Asked for only if it matters. */
  sha256: () => string
}

/** As JSON: an object as it was on disk when it was unpacked, and what it lacked. */
export interface UnheldRecord {
  path: ByteString
  type: Status['type']
  /** Decimal digits. */
  inode: string
  born: Timespec | null
  mode: number
  link: ByteString
  /** SHA-256 (hex) of its content, if that decides about something. */
  sha256: string | null
  unheld: Unheld
}

export interface UnheldDocument {
  /** Device and inode number (decimal digits) of the root of the tree. */
  device: number
  inode: string
  objects: readonly UnheldRecord[]
}

const VERSION = 1

/** Byte strings contain no character above 255, so latin1 preserves them. */
export function formatUnheld({ device, inode, objects }: UnheldDocument): string {
  const lines = objects.map((object) => JSON.stringify(object))
  return `{"version":${VERSION},"device":${device},"inode":"${inode}","objects":[\n${lines.join(',\n')}\n]}\n`
}

/** @throws BUNDLE_INVALID */
export function parseUnheld(text: string, file: string): UnheldDocument {
  try {
    const document = JSON.parse(text) as UnheldDocument & { version: number }
    if (document.version === VERSION && Array.isArray(document.objects)) return document
  } catch {
    // as below
  }
  throw new OciUnpackError('BUNDLE_INVALID', 'What the bundle remembers of its image is damaged.', {
    facts: { file, expected: `version ${VERSION}`, found: text.slice(0, 100) },
    hint: 'Restore the file from a copy. Without it, links, devices and capabilities are packed as they are on disk.'
  })
}

const CAPABILITY = 'security.capability'

/** Whether the content of an object decides about what it lacks: the kernel removes capabilities from a file that is written to. */
export function dependsOnContent({ xattrs = [] }: Unheld): boolean {
  return xattrs.some(([name]) => name === CAPABILITY)
}

export class UnheldMemory {
  private readonly isCopy: boolean
  private readonly byInode = new Map<string, UnheldRecord>()
  private readonly byPath = new Map<ByteString, UnheldRecord>()

  /** @param root status of the root of the tree now */
  constructor({ device, inode, objects }: UnheldDocument, root: Status) {
    this.isCopy = device !== root.device || inode !== String(root.inode)
    for (const object of objects) {
      this.byInode.set(object.inode, object)
      this.byPath.set(object.path, object)
    }
  }

  /** What the image says of an object and its disk does not; undefined if that is nothing, or if it is another object now. */
  of(object: ObjectOnDisk): Unheld | undefined {
    const record = this.recordOf(object)
    return record === undefined ? undefined : stillTrue(record, object)
  }

  private recordOf(object: ObjectOnDisk): UnheldRecord | undefined {
    const moved = this.byInode.get(String(object.status.inode))
    if (moved !== undefined && isLike(moved, object) && this.isBornWith(moved, object)) return moved
    const there = this.isCopy ? this.byPath.get(object.path) : undefined
    return there !== undefined && isLike(there, object) ? there : undefined
  }

  /** Inodes are used again. */
  private isBornWith({ born }: UnheldRecord, object: ObjectOnDisk): boolean {
    const now = object.born()
    return born === null || now === undefined ? !this.isCopy : isSameTime(born, now)
  }
}

function isLike({ type, link }: UnheldRecord, object: ObjectOnDisk): boolean {
  return type === object.status.type && link === object.link
}

function isSameTime(a: Timespec, b: Timespec): boolean {
  return a.sec === b.sec && a.nsec === b.nsec
}

/** Without what the user has changed in the meantime. */
function stillTrue(record: UnheldRecord, object: ObjectOnDisk): Unheld {
  const { type, devMajor = 0, devMinor = 0, mode, xattrs = [], ...owner } = record.unheld
  const isEmpty = object.status.size === 0
  const left = xattrs.filter((xattr) => isStillTrue(xattr, record, object))
  return {
    ...owner,
    ...(type !== undefined && isEmpty ? { type, devMajor, devMinor } : {}),
    ...(mode !== undefined && object.status.mode === record.mode ? { mode } : {}),
    ...(left.length === 0 ? {} : { xattrs: left })
  }
}

function isStillTrue([name]: Xattr, { sha256 }: UnheldRecord, object: ObjectOnDisk): boolean {
  return name !== CAPABILITY || sha256 === null || sha256 === object.sha256()
}
