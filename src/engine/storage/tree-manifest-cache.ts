/**
 * Tree manifests of whole chains of layers, so that no file must be read to make a bundle of existing layers. They are
 * a by-product of unpacking; without them, files are hashed again. Beside them is what the disk does not hold of the layers,
 * and what is in single layers that are kept as images.
 */
import {
  constants,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { PolicyChoice } from '../../plan/policy/policies.ts'
import { cacheDirectory } from '../../sys/cache-directory.ts'
import { makeDirectories } from '../../sys/make-directories.ts'

export interface CachedManifest {
  /** Name of the storage that the layers live in. */
  storage: string
  /** How metadata is kept on disk. */
  policy: PolicyChoice['kind']
  /** Chain ID of the top layer. */
  chainId: string
}

/** `lazy.mtree`: without the digests of files. `entries`: of the top layer of the chain alone. */
export type CachedKind = 'mtree' | 'lazy.mtree' | 'unheld' | 'entries'

/** Writes what is known of the chain to `path`; returns whether it did. */
export function fetchCached(cached: CachedManifest, kind: CachedKind, path: string): boolean {
  try {
    copyFileSync(entryOf(cached, kind), path, COPY)
    return true
  } catch {
    return false // whatever is wrong, this is only a cache
  }
}

/** The same in memory. */
export function readCached(cached: CachedManifest, kind: CachedKind): Buffer | undefined {
  try {
    return readFileSync(entryOf(cached, kind))
  } catch {
    return undefined
  }
}

/** Failing to keep it is not an error. */
export function keepCached(cached: CachedManifest, kind: CachedKind, path: string): void {
  keep(cached, kind, (temporary) => copyFileSync(path, temporary, COPY))
}

/** The same for bytes in memory. */
export function writeCached(cached: CachedManifest, kind: CachedKind, bytes: Uint8Array): void {
  keep(cached, kind, (temporary) => writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 }))
}

function keep(cached: CachedManifest, kind: CachedKind, write: (temporary: string) => void): void {
  try {
    makeDirectories(directoryOf(cached.storage), 0o700)
    place(entryOf(cached, kind), write)
  } catch {
    // the next unpack does without
  }
}

function place(entry: string, write: (temporary: string) => void): void {
  const temporary = `${entry}.${randomUUID()}`
  try {
    write(temporary)
    renameSync(temporary, entry)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Forgets all chains except these. */
export function pruneManifests(storage: string, live: ReadonlySet<string>): void {
  if (cacheDirectory() === undefined) return
  const kept = new Set([...live].map(stem))
  for (const name of names(directoryOf(storage)))
    if (!kept.has(name.slice(0, name.indexOf('.'))))
      rmSync(join(directoryOf(storage), name), { force: true })
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

function entryOf({ storage, policy, chainId }: CachedManifest, kind: CachedKind): string {
  const variant = policy === 'exact' ? '' : `.${policy}`
  return join(directoryOf(storage), `${stem(chainId)}${variant}.${kind}`)
}

function stem(chainId: string): string {
  return chainId.replace(':', '_')
}

/** @throws Error if the user has no cache */
function directoryOf(storage: string): string {
  const cache = cacheDirectory()
  if (cache === undefined) throw new Error('there is no cache')
  return join(cache, 'manifests', storage.replaceAll('/', '_'))
}
