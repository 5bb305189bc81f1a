/** What changed in an open bundle, with the volumes masked and content hashed in threads. */
import { fromText, type ByteString } from '../bytes.ts'
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import type { ManifestEntry } from '../mtree/entry.ts'
import { Control } from '../worker/control.ts'
import { Pool } from '../worker/pool.ts'
import { heedSignals } from './abort.ts'
import { findChanges, type Changes, type HashFiles } from './changes.ts'
import type { OpenBundle } from './open-bundle.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with all below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

export interface ChangeSearch extends MaskOptions, HashThreads {
  volumes: readonly string[]
}

export async function bundleChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const hashFiles = hasher(bundle, search)
  const changes = await findChanges(bundle.rootfs, bundle.state, masksOf(search), hashFiles)
  await heedSignals(search.signal)
  return changes
}

function masksOf({ maskPaths = [], maskVolumes = true, volumes }: ChangeSearch): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map(fromText)
}

/** Below both a thread costs more than it saves. */
const WORTH_A_THREAD = { files: 256, bytes: 32 * 1024 * 1024 }
/** Parts of the work: small enough that no thread is left alone with the rest. */
const BATCH = { files: 512, bytes: 64 * 1024 * 1024 }

export function hasher(bundle: OpenBundle, threads: HashThreads): HashFiles {
  return hasherBelow(`${bundle.path}/${ROOTFS_DIRECTORY}`, threads)
}

interface HashThreads {
  jobs: number
  signal: AbortSignal | undefined
}

/** Hashes files below a directory, given by its absolute path. */
export function hasherBelow(root: string, { jobs, signal }: HashThreads): HashFiles {
  return async (files) => {
    if (files.length === 0) return []
    const control = Control.forLayers(0, jobs)
    const pool = new Pool(isWorthThreads(files) ? jobs : 0)
    const abort = (): void => control.abort()
    signal?.addEventListener('abort', abort)
    try {
      const digests = batches(files).map((paths) =>
        pool.run({ type: 'hash-files', root, paths }, control, SILENT)
      )
      return (await Promise.all(digests)).flat()
    } finally {
      signal?.removeEventListener('abort', abort)
      control.abort()
      await pool.close()
    }
  }
}

const SILENT = { entries: () => undefined, lostXattr: () => undefined }

function isWorthThreads(files: readonly ManifestEntry[]): boolean {
  const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0)
  return files.length >= WORTH_A_THREAD.files || bytes >= WORTH_A_THREAD.bytes
}

function batches(files: readonly ManifestEntry[]): ByteString[][] {
  const all: ByteString[][] = []
  let batch: ByteString[] = []
  let bytes = 0
  for (const { path, size = 0 } of files) {
    if (batch.length === 0 || batch.length === BATCH.files || bytes >= BATCH.bytes) {
      batch = []
      bytes = 0
      all.push(batch)
    }
    batch.push(path)
    bytes += size
  }
  return all
}
