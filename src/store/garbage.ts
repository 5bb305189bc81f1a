/** Finds and removes blobs that nothing in a layout refers to, and what dead programs left there. */
import { DIGEST_ALGORITHMS, digestAlgorithm, digestHex, isDigest } from '../image/digest.ts'
import type { Digest, DigestAlgorithm } from '../image/digest.ts'
import { listDirectory } from '../sys/directory.ts'
import { openDestination } from '../sys/destination.ts'
import { close } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { removeFile } from '../sys/names.ts'
import { inodeKey, statusIfThere, type Status } from '../sys/status.ts'
import { findBlobsDirectory } from './blobs-directory.ts'
import { tryOwnBlobs } from './blobs-lock.ts'
import { relativeBlobPath } from './image-source.ts'
import type { Layout } from './layout.ts'
import { identity, linkedFiles } from './linked-files.ts'
import { reachableDigests } from './reachable-digests.ts'
import { listWorkspaces, removeAbandoned } from './layout-workspace.ts'

export interface Garbage {
  /** Blobs that nothing in the layout refers to; sizes in bytes. */
  blobs: readonly { digest: Digest; size: number }[]
  /** Names of directories that programs left in the layout when they died. */
  workspaces: readonly string[]
}

/** What a collection would remove now. @throws what `reachableDigests` throws. */
export function findGarbage(layout: Layout): Garbage {
  return withLayout(layout, (fd) => ({
    blobs: unreachable(layout, fd, listBlobs(fd)).map(plain),
    workspaces: listWorkspaces(fd).abandoned
  }))
}

/**
 * Removes what nothing refers to, and returns what it removed. Does nothing and returns undefined while the layout is
 * in use: by this program, which locks the blobs, or by another umoci, which has a workspace. Keeps everything whose
 * name or kind is not that of a blob, blobs of unknown algorithms, and files that links among the blobs lead to.
 * @throws before anything is removed, what `reachableDigests` throws; SYSCALL_FAILED
 */
export function tryCollectGarbage(layout: Layout): Garbage | undefined {
  const hold = tryOwnBlobs(layout.path)
  if (hold === undefined) return undefined
  try {
    return withLayout(layout, (fd) => collect(layout, fd))
  } finally {
    hold.release()
  }
}

/** Removes everything by handles, because the owner of the layout may rename things meanwhile. */
function withLayout<T>({ path }: Layout, act: (fd: number) => T): T {
  const fd = openDestination(path)
  try {
    return act(fd)
  } finally {
    close(fd)
  }
}

/**
 * This order makes it safe to run beside a umoci, which takes no lock on blobs: each blob in the list was stored by a
 * program that either still has its workspace, or has already updated the index that is read afterwards.
 */
function collect(layout: Layout, fd: number): Garbage | undefined {
  const present = listBlobs(fd)
  const { live, abandoned } = listWorkspaces(fd)
  if (live.length > 0) return undefined
  return {
    blobs: removeBlobs(fd, unreachable(layout, fd, present)).map(plain),
    workspaces: abandoned.filter((name) => removeAbandoned(fd, name))
  }
}

function plain({ digest, size }: StoredBlob): Garbage['blobs'][number] {
  return { digest, size }
}

interface StoredBlob {
  digest: Digest
  size: number
  status: Status
}

function listBlobs(layout: number): StoredBlob[] {
  return DIGEST_ALGORITHMS.flatMap(
    (algorithm) =>
      inBlobs(layout, algorithm, (directory) =>
        listDirectory(directory)
          .sort()
          .flatMap((name) => blobAt(directory, name, `${algorithm}:${name}`))
      ) ?? []
  )
}

function inBlobs<T>(
  layout: number,
  algorithm: DigestAlgorithm,
  act: (directory: number) => T
): T | undefined {
  const directory = findBlobsDirectory(layout, algorithm)
  if (directory === undefined) return undefined
  try {
    return act(directory)
  } finally {
    close(directory)
  }
}

function blobAt(directory: number, name: string, digest: string): StoredBlob[] {
  if (!isDigest(digest)) return []
  const found = statusIfThere(directory, name)
  return found?.type === 'file' ? [{ digest, size: found.size, status: found }] : []
}

function unreachable(layout: Layout, fd: number, present: readonly StoredBlob[]): StoredBlob[] {
  const needed = reachableDigests(layout)
  const unneeded = present.filter(({ digest }) => !needed.has(digest))
  if (unneeded.length === 0) return []
  const root = handlePath(fd)
  const linked = linkedFiles(root)
  const isLinked = ({ digest }: StoredBlob): boolean =>
    linked.has(identity(`${root}/${relativeBlobPath(digest)}`) ?? '')
  return linked.size === 0 ? unneeded : unneeded.filter((blob) => !isLinked(blob))
}

/** Returns the blobs that were removed. */
function removeBlobs(layout: number, blobs: readonly StoredBlob[]): StoredBlob[] {
  return DIGEST_ALGORITHMS.flatMap((algorithm) => {
    const own = blobs.filter(({ digest }) => digestAlgorithm(digest) === algorithm)
    const remove = (directory: number): StoredBlob[] =>
      own.filter((blob) => removeBlob(directory, blob))
    return own.length === 0 ? [] : (inBlobs(layout, algorithm, remove) ?? [])
  })
}

/** Keeps a blob that was stored again meanwhile, because an index is about to name it. */
function removeBlob(directory: number, { digest, status: found }: StoredBlob): boolean {
  const name = digestHex(digest)
  const now = statusIfThere(directory, name)
  if (now === undefined || versionOf(now) !== versionOf(found)) return false
  removeFile(directory, name)
  return true
}

function versionOf(found: Status): string {
  return `${inodeKey(found)} ${found.ctimeSec}.${found.ctimeNsec}`
}
