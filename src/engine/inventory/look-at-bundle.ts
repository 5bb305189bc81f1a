/** What there is to say of one bundle, as far as it can be found out. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { METADATA_FILE, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { sourceManifest, sourceRoot, type BundleMetadata } from '../../bundle/metadata.ts'
import { fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError, withFacts, type ErrorCode } from '../../errors.ts'
import { REF_NAME } from '../../image/tags.ts'
import { fromNode } from '../../sys/failure.ts'
import { close } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { kernelMountsBelow } from '../../sys/mounts.ts'
import { status } from '../../sys/status.ts'
import { formatImageName } from '../../transports/image-name.ts'
import { imageAt } from '../../transports/list.ts'
import { claim } from '../../workspace/claim.ts'
import { contextAt } from '../bundle/bundle-site.ts'
import {
  metadataAt,
  openBundleDirectory,
  withBundle,
  withBundleDirectory,
  type OpenBundle
} from '../bundle/open-bundle.ts'
import { assertOriginal, readOrigin, type Origin } from '../bundle/origin.ts'
import { isMounted } from '../bundle/shown-rootfs.ts'
import { assertWhole } from '../bundle/whole-bundle.ts'
import type { LayerStorage } from '../storage/layer-storage.ts'
import { hasMounts, linksTo } from './find-bundles.ts'
import { hasChanged, type LookOptions } from './has-changed.ts'
import { sizeOnDisk } from './size-on-disk.ts'

/** A bundle directly below a directory. What is undefined is not known. */
export interface ListedBundle {
  /** Of its directory. */
  name: string
  /** The image that it belongs to. */
  image?: {
    /** `TRANSPORT:PATH[:TAG]`; of a bundle of umoci, which does not say where its image is, only the tag. */
    name: string
    /** The same without the tag, where it is known. */
    place?: string
    /** Digest of the manifest. */
    digest: string
  }
  /** When it was unpacked, or last refreshed: RFC 3339, in UTC. */
  unpacked?: string
  /** `directory`, or the name of the hooks that made it. */
  storage?: string
  /** Allocated bytes, as `du` counts them, without what is mounted in it. */
  size?: number
  /** Whether the root file system or config.json was changed since; undefined also while the root file system is not mounted. */
  changed?: boolean
  /** Whether something is mounted in it. */
  mounted: boolean
  /** Names of the symbolic links beside it that lead to it. */
  selectedBy: string[]
  /** Why not all of this is known. */
  error?: { code: ErrorCode; message: string; reason?: string }
}

/** Never fails because of the bundle. @throws ABORTED */
export async function lookAtBundle(
  directory: string,
  name: string,
  storage: LayerStorage,
  options: LookOptions
): Promise<ListedBundle> {
  const bundle = look(directory, name)
  if (bundle.error !== undefined) return bundle
  try {
    await complete(bundle, join(directory, name), storage, options)
  } catch (error) {
    bundle.error = problem(error, join(directory, name))
  }
  return bundle
}

/** Adds what takes its time. */
async function complete(
  bundle: ListedBundle,
  path: string,
  storage: LayerStorage,
  options: LookOptions
): Promise<void> {
  assertNotTaken(path)
  const isThere = isShown(path)
  // before anything of ours is in it
  const files = await sizeOfFiles(path, isThere ? ROOTFS : NOTHING, options)
  if (!isThere) {
    bundle.size = files
    return
  }
  await withBundle(path, { use: 'shared', ...options }, async (open) => {
    if (!hasKernelMounts(open)) bundle.changed = await hasChanged(open, storage, options)
    bundle.size = files + sizeOfRootfs(open)
  })
}

/** Only what costs nothing: without the size and the changes. */
export function look(directory: string, name: string): ListedBundle {
  const path = join(directory, name)
  const bundle: ListedBundle = { name, mounted: false, selectedBy: [] }
  try {
    bundle.mounted = hasMounts(directory, name)
    bundle.selectedBy = linksTo(directory, name)
    const context = contextAt(path)
    const origin = readOrigin(context)
    bundle.storage = origin?.hooks ?? 'directory'
    const metadata = metadataAt(path)
    bundle.image = imageOf(metadata)
    bundle.unpacked = statSync(join(path, METADATA_FILE)).mtime.toISOString()
    if (origin !== undefined) assertOriginal(origin, context.state, path)
    withDirectory(path, (directory) => assertWhole({ path, directory, metadata, origin }))
  } catch (error) {
    bundle.error = problem(error, path)
  }
  return bundle
}

/** Whether another process has removed it since its name was read, which is no failure of ours. */
export function isGone(
  directory: string,
  { name, error }: Pick<ListedBundle, 'name' | 'error'>
): boolean {
  return error !== undefined && !existsSync(join(directory, name))
}

/** @throws ABORTED, and what is no failure of ours */
export function problem(error: unknown, path: string): NonNullable<ListedBundle['error']> {
  const known = withFacts(fromNode(error), { path })
  if (!(known instanceof OciUnpackError) || known.code === 'ABORTED') throw known
  const { code, message, facts } = known
  const { reason } = facts
  return { code, message, ...(reason === undefined ? {} : { reason: String(reason) }) }
}

function imageOf(metadata: BundleMetadata): NonNullable<ListedBundle['image']> {
  const { digest } = sourceManifest(metadata)
  const { annotations } = sourceRoot(metadata) as { annotations?: Record<string, unknown> }
  const named = annotations?.[REF_NAME]
  const tag = typeof named === 'string' ? named : undefined
  const { source } = metadata
  if (source === undefined) return { name: tag ?? `@${digest}`, digest }
  const known = imageAt(source, digest)
  const place = `${source.transport}:${source.path}`
  const name = known === undefined ? place : formatImageName({ ...known, tag })
  return { name, place, digest }
}

/** Waiting for a process that makes or repacks it could take long. @throws BUNDLE_BUSY */
export function assertNotTaken(path: string): void {
  if (withDirectory(path, (directory) => claim(directory, 'shared')) !== 'taken') return
  throw new OciUnpackError('BUNDLE_BUSY', 'Another process is working there.', {
    facts: { path },
    hint: 'Wait until it ends.'
  })
}

function withDirectory<T>(path: string, act: (directory: number) => T): T {
  const fd = openBundleDirectory(path)
  try {
    return act(fd)
  } finally {
    close(fd)
  }
}

/** Whether the root file system can be looked at. */
export function isShown(path: string): boolean {
  return !isMountOfHooks(readOrigin(contextAt(path))) || isMounted(path)
}

function isMountOfHooks(origin: Origin | undefined): boolean {
  return origin?.rootfs === 'mount'
}

function hasKernelMounts({ rootfs }: OpenBundle): boolean {
  return kernelMountsBelow(fromText(withoutHandles(handlePath(rootfs)))).length > 0
}

const ROOTFS: ReadonlySet<ByteString> = new Set([ROOTFS_DIRECTORY])
const NOTHING: ReadonlySet<ByteString> = new Set()

function sizeOfRootfs({ rootfs, ledger }: OpenBundle): number {
  return status(rootfs, '').isMountRoot ? 0 : sizeOnDisk(rootfs, NOTHING, ledger)
}

function sizeOfFiles(
  path: string,
  skip: ReadonlySet<ByteString>,
  options: LookOptions
): Promise<number> {
  return withBundleDirectory(path, { use: 'shared', ...options }, ({ directory }) =>
    Promise.resolve(sizeOnDisk(directory, skip))
  )
}
