/**
 * Tree manifests of whole chains of layers, so that a bundle of layers that are there already needs no file read. They are
 * a by-product of an unpack; without them the files are hashed again.
 */
import { constants, copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { homeDirectory } from '../../sys/home.ts'
import { makeDirectories } from '../../sys/make-directories.ts'

export interface CachedManifest {
  /** Name of the storage that the layers live in. */
  storage: string
  /** Of the top layer. */
  chainId: string
}

/** Writes the manifest of the chain to `path`, if it is known; says whether it did. */
export function fetchManifest(cached: CachedManifest, path: string): boolean {
  try {
    copyFileSync(entryOf(cached), path, COPY)
    return true
  } catch {
    return false // whatever is wrong with the cache, it is only a cache
  }
}

/** That it cannot be kept is no reason to fail. */
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

/** Forgets all chains but these. */
export function pruneManifests(storage: string, live: ReadonlySet<string>): void {
  const kept = new Set([...live].map((chainId) => entryOf({ storage, chainId })))
  for (const name of names(directoryOf(storage))) {
    const path = join(directoryOf(storage), name)
    if (!kept.has(path)) rmSync(path, { force: true })
  }
}

/** Shares the blocks where the file system can. */
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

/** The same for all processes of a user (XDG Base Directory Specification; root has its place in the system's). */
function directoryOf(storage: string): string {
  const { XDG_CACHE_HOME } = process.env
  const home =
    XDG_CACHE_HOME?.startsWith('/') === true
      ? XDG_CACHE_HOME
      : process.geteuid!() === 0
        ? '/var/cache'
        : join(homeDirectory() ?? '/', '.cache')
  return join(home, 'oci-unpack', 'manifests', storage.replaceAll('/', '_'))
}
