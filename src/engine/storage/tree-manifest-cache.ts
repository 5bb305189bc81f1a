/**
 * Tree manifests of whole chains of layers, so that no file must be read to make a bundle of existing layers. They are
 * a by-product of unpacking; without them, files are hashed again.
 */
import { constants, copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { cacheDirectory } from '../../sys/cache-directory.ts'
import { makeDirectories } from '../../sys/make-directories.ts'

export interface CachedManifest {
  /** Name of the storage that the layers live in. */
  storage: string
  /** Chain ID of the top layer. */
  chainId: string
}

/** Writes the tree manifest of the chain to `path` if it is known; returns whether it did. */
export function fetchManifest(cached: CachedManifest, path: string): boolean {
  try {
    copyFileSync(entryOf(cached), path, COPY)
    return true
  } catch {
    return false // whatever is wrong, this is only a cache
  }
}

/** Failing to keep it is not an error. */
export function keepManifest(cached: CachedManifest, path: string): void {
  try {
    makeDirectories(directoryOf(cached.storage), 0o700)
    copyTo(path, entryOf(cached))
  } catch {
    // the next unpack hashes the files again
  }
}

function copyTo(path: string, entry: string): void {
  const temporary = `${entry}.${randomUUID()}`
  try {
    copyFileSync(path, temporary, COPY)
    renameSync(temporary, entry)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Forgets all chains except these. */
export function pruneManifests(storage: string, live: ReadonlySet<string>): void {
  const kept = new Set([...live].map((chainId) => entryOf({ storage, chainId })))
  for (const name of names(directoryOf(storage))) {
    const path = join(directoryOf(storage), name)
    if (!kept.has(path)) rmSync(path, { force: true })
  }
}

/** Shares blocks if the file system can. */
const COPY = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function entryOf({ storage, chainId }: CachedManifest): string {
  return join(directoryOf(storage), `${chainId.replace(':', '_')}.mtree`)
}

function directoryOf(storage: string): string {
  return join(cacheDirectory(), 'manifests', storage.replaceAll('/', '_'))
}
