import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { DIGEST_ALGORITHMS, isDigest, type Digest } from '../image/digest.ts'
import { attempt } from './file.ts'
import { tryOwnBlobs } from './in-use.ts'
import type { Layout } from './layout.ts'
import { neededDigests } from './needed-digests.ts'
import { listWorkspaces, removeAbandoned } from './workspace.ts'

export interface Garbage {
  /** Blobs that nothing in the layout leads to; sizes in bytes. */
  blobs: readonly { digest: Digest; size: number }[]
  /** Names of directories that a program left in the layout when it died. */
  workspaces: readonly string[]
}

/** What a collection would remove now. Throws what `neededDigests` throws. */
export function findGarbage(layout: Layout): Garbage {
  const { abandoned } = listWorkspaces(layout.path)
  return { blobs: unreachable(layout, listBlobs(layout)).map(plain), workspaces: abandoned }
}

/**
 * Removes what nothing leads to, and says what it was. Undefined, with nothing done, while somebody uses the layout:
 * this program, by its lock on the blobs, or another umoci, by its workspace. Everything that is no blob by name and
 * kind stays, and so do blobs of unknown algorithms. Throws what `neededDigests` throws before anything is
 * removed, and SYSCALL_FAILED.
 */
export function tryCollectGarbage(layout: Layout): Garbage | undefined {
  const hold = tryOwnBlobs(layout.path)
  if (hold === undefined) return undefined
  try {
    return collect(layout)
  } finally {
    hold.release()
  }
}

/**
 * The order is what makes it safe beside a umoci, which takes no lock on blobs: a blob in the list was stored by
 * a program that either still has its workspace, or has updated the index that is read after that.
 */
function collect(layout: Layout): Garbage | undefined {
  const present = listBlobs(layout)
  const { live, abandoned } = listWorkspaces(layout.path)
  if (live.length > 0) return undefined
  return {
    blobs: unreachable(layout, present).filter(removeBlob).map(plain),
    workspaces: abandoned.filter((name) => removeAbandoned(layout.path, name))
  }
}

function plain({ digest, size }: StoredBlob): Garbage['blobs'][number] {
  return { digest, size }
}

interface StoredBlob {
  digest: Digest
  size: number
  path: string
  stat: Stats
}

function listBlobs(layout: Layout): StoredBlob[] {
  return DIGEST_ALGORITHMS.flatMap((algorithm) => {
    const directory = join(layout.path, 'blobs', algorithm)
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return []
    const names = attempt('readdir', directory, () => readdirSync(directory)).sort()
    return names.flatMap((name) => blobAt(join(directory, name), `${algorithm}:${name}`))
  })
}

function blobAt(path: string, digest: string): StoredBlob[] {
  if (!isDigest(digest)) return []
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true ? [{ digest, size: stat.size, path, stat }] : []
}

function unreachable(layout: Layout, present: readonly StoredBlob[]): StoredBlob[] {
  const needed = neededDigests(layout)
  return present.filter(({ digest }) => !needed.has(digest))
}

/** Not one that was stored anew meanwhile: who stored it is about to name it. */
function removeBlob({ path, stat }: StoredBlob): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false })
  if (now?.ino !== stat.ino || now.ctimeMs !== stat.ctimeMs) return false
  attempt('unlink', path, () => rmSync(path))
  return true
}
