/** Objects on disk in the tree manifest's terms. */
import type { MtreeEntry, MtreeNode } from '../mtree/entry.ts'
import { AS_SEEN, ownersOutside } from '../plan/outside.ts'
import type { IdMaps } from '../plan/policy/exact.ts'
import { MTREE_TYPE } from '../plan/seen-tree.ts'
import type { Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import type { ScannedObject } from './scanned-object.ts'

/** The object as a tree manifest would list it, without `sha256`. */
export function toMtreeEntry(
  { path, status, link }: Pick<ScannedObject, 'path' | 'status' | 'link'>,
  xattrs: readonly Xattr[],
  outside: IdMaps = AS_SEEN
): MtreeEntry {
  return {
    path,
    ...statusKeywords(status, outside),
    link,
    time: undefined,
    sha256: undefined,
    xattrs,
    other: undefined
  }
}

type StatusKeywords = Pick<
  MtreeNode,
  'type' | 'size' | 'uid' | 'gid' | 'mode' | 'nlink' | 'mtimeSec'
>

/** The keywords whose values stat(2) gives. */
export function statusKeywords(status: Status, outside: IdMaps): StatusKeywords {
  return {
    type: MTREE_TYPE[status.type],
    size: status.size,
    ...ownersOutside(status, outside),
    mode: status.mode,
    nlink: status.nlink,
    mtimeSec: status.mtimeSec
  }
}
