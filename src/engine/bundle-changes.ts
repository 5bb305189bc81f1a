/** What changed in an open bundle, with the volumes masked and content hashed in threads. */
import { fromText, type ByteString } from '../bytes.ts'
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import { Control } from '../worker/control.ts'
import { Pool } from '../worker/pool.ts'
import { findChanges, type Changes, type HashFiles } from './changes.ts'
import type { OpenBundle } from './open-bundle.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with all below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

export interface ChangeSearch extends MaskOptions {
  volumes: readonly string[]
  jobs: number
  signal: AbortSignal | undefined
}

export async function bundleChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const hashFiles = hasher(bundle, search)
  return findChanges(bundle.rootfs, bundle.state, masksOf(search), hashFiles)
}

function masksOf({ maskPaths = [], maskVolumes = true, volumes }: ChangeSearch): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map(fromText)
}

/** Below this many files a thread costs more than it saves. */
const WORTH_A_THREAD = 256
/** Parts of the work: small enough that no thread is left alone with the rest. */
const BATCH = 512

export function hasher(
  bundle: OpenBundle,
  { jobs, signal }: { jobs: number; signal: AbortSignal | undefined }
): HashFiles {
  const root = `${bundle.path}/${ROOTFS_DIRECTORY}`
  return async (paths) => {
    if (paths.length === 0) return []
    const control = Control.forLayers(0)
    const pool = new Pool(paths.length < WORTH_A_THREAD ? 0 : jobs)
    const abort = (): void => control.abort()
    signal?.addEventListener('abort', abort)
    try {
      const digests = batches(paths).map((batch) =>
        pool.run({ type: 'hash-files', root, paths: batch }, control, SILENT)
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

function batches(paths: readonly ByteString[]): ByteString[][] {
  const count = Math.ceil(paths.length / BATCH)
  return Array.from({ length: count }, (_, index) =>
    paths.slice(index * BATCH, (index + 1) * BATCH)
  )
}
