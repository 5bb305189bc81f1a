/** A bundle that an unpack made, ours or umoci's, opened for comparison. */
import { closeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  readMemory,
  readMetadata,
  readUnheld,
  type Memory,
  type ReadBundleFile
} from '../../bundle/bundle.ts'
import { ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import type { BundleMetadata } from '../../bundle/metadata.ts'
import type { UnheldMemory } from '../../bundle/unheld.ts'
import { OciUnpackError, withFacts } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import type { LockKind } from '../../sys/lock.ts'
import { awaitClaim } from '../../workspace/claim.ts'
import { listLeftovers } from '../../workspace/leftovers.ts'
import { pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { tidy } from '../place/tidy.ts'
import { openDestination } from '../../sys/destination.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { openRegularFile, type RegularFile } from '../../sys/open-regular.ts'
import { readRest } from '../../sys/read.ts'
import { assertStillShown } from './shown-rootfs.ts'
import { isMarked } from './unfinished-mark.ts'

export interface OpenBundle {
  /** Absolute. */
  path: string
  /** Descriptor of its directory. */
  directory: number
  metadata: BundleMetadata
  /** What it remembers of its tree, read on each call. @throws BUNDLE_INVALID, MTREE_INVALID */
  memory: () => Memory
  /** What its disk does not hold of the image; undefined if that is nothing. @throws BUNDLE_INVALID */
  unheld: () => UnheldMemory | undefined
  /** Descriptor of the root file system. */
  rootfs: number
}

export interface BundleUse {
  /** `exclusive` to change the bundle; `shared` to read it while no other process changes it. */
  use: LockKind
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

/** Waits for other processes that work in the bundle. @throws BUNDLE_INVALID, ABORTED, SYSCALL_FAILED */
export async function withBundle<T>(
  bundle: string,
  use: BundleUse,
  act: (bundle: OpenBundle) => Promise<T>
): Promise<T> {
  return withBundleDirectory(bundle, use, (found) => withRootfs(found, act))
}

/** The same, whether or not there is a root file system. */
export async function withBundleDirectory<T>(
  bundle: string,
  { use, signal, onEvent }: BundleUse,
  act: (bundle: Omit<OpenBundle, 'rootfs'>) => Promise<T>
): Promise<T> {
  const path = resolve(bundle)
  const directory = openBundleDirectory(path)
  try {
    const isDirty = listLeftovers(directory).abandoned.length > 0
    await awaitClaim(directory, isDirty ? 'exclusive' : use, () => pause(signal))
    if (isDirty) tidy(directory, path, onEvent)
    const read: ReadBundleFile = (name) => readIfRegular(join(handlePath(directory), name))
    const metadata = inBundle(path, () => readMetadata(read))
    assertFinished(directory, path)
    const memory = (): Memory => inBundle(path, () => readMemory(read, metadata))
    const unheld = (): UnheldMemory | undefined => inBundle(path, () => readUnheld(read, metadata))
    return await act({ path, directory, metadata, memory, unheld })
  } finally {
    close(directory)
  }
}

async function withRootfs<T>(
  bundle: Omit<OpenBundle, 'rootfs'>,
  act: (bundle: OpenBundle) => Promise<T>
): Promise<T> {
  const { path, directory, memory } = bundle
  const rootfs = openRootfs(path, directory)
  try {
    assertStillShown({ bundle: path, directory, rootfs, memory })
    return await act({ ...bundle, rootfs })
  } finally {
    close(rootfs)
  }
}

/** Half a tree would look like a whole one with deletions. */
function assertFinished(directory: number, path: string): void {
  if (!isMarked(directory, path)) return
  throw new OciUnpackError('BUNDLE_INVALID', 'The bundle is not complete.', {
    facts: { path, reason: 'unpacking or deleting it was interrupted' },
    hint: 'Remove the rest of it with `bundle delete`.'
  })
}

/** A descriptor. @throws BUNDLE_INVALID if there is no directory, TARGET_INVALID for another user's link */
export function openBundleDirectory(path: string): number {
  try {
    return openDestination(path)
  } catch (error) {
    throw isErrno(error, 'ENOENT', 'ENOTDIR') ? noBundle(path, error) : error
  }
}

function inBundle<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw withFacts(error, { path })
  }
}

function openRootfs(path: string, directory: number): number {
  try {
    return openDirectory(directory, ROOTFS_DIRECTORY)
  } catch (error) {
    throw isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP') ? noRootfs(path, error) : error
  }
}

/** The content, or undefined if there is no regular file. Does not block on a FIFO. */
export function readIfRegular(path: string): Buffer | undefined {
  const file = openIfRegular(path)
  if (file === undefined) return undefined
  try {
    return readRest(file.fd)
  } finally {
    closeSync(file.fd)
  }
}

function openIfRegular(path: string): RegularFile | undefined {
  try {
    return openRegularFile(path, 'followed')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new OciUnpackError('BUNDLE_INVALID', 'A file of the bundle cannot be read.', {
      facts: { file: withoutHandles(path), reason: withoutHandles((error as Error).message) },
      cause: error
    })
  }
}

export function noBundle(path: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'There is no bundle at this path.', {
    facts: { path },
    hint: 'Name a directory that unpack made. (raw unpack does not make a bundle.)',
    cause
  })
}

function noRootfs(path: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle has no root file system.', {
    facts: { path: join(path, ROOTFS_DIRECTORY) },
    hint: 'The root file system must be a directory, not a link to one. Restore it, or unpack the image again.',
    cause
  })
}
