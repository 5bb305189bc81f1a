/** A bundle that an unpack made, ours or umoci's, opened for comparison. */
import { closeSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  readMemory,
  readMetadata,
  readUnheld,
  type Memory,
  type ReadBundleFile
} from '../../bundle/bundle.ts'
import { fingerprintsFile, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { recordsIn } from '../../bundle/fingerprints.ts'
import { sourceManifest, type BundleMetadata } from '../../bundle/metadata.ts'
import type { UnheldDocument } from '../../bundle/unheld.ts'
import { OciUnpackError, withFacts } from '../../errors.ts'
import { AS_SEEN, areMapsOf } from '../../plan/outside.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import { isErrno } from '../../sys/failure.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { openTree } from '../../sys/lender.ts'
import type { LockKind } from '../../sys/lock.ts'
import { privileges } from '../../sys/privileges.ts'
import { awaitClaim } from '../../workspace/claim.ts'
import { listLeftovers } from '../../workspace/leftovers.ts'
import { pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { assertNoForeignLoan } from '../place/foreign-loan.ts'
import { whileAlone, whileLendingIn } from '../place/lent-modes.ts'
import { tidy } from '../place/tidy.ts'
import { openDestination } from '../../sys/destination.ts'
import { listDirectory } from '../../sys/directory.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { openRegularFile, type RegularFile } from '../../sys/open-regular.ts'
import { readRest } from '../../sys/read.ts'
import { namespaceIds } from '../../sys/user-namespace.ts'
import { suggestingNamespace } from './namespace-of.ts'
import { assertStillShown } from './shown-rootfs.ts'
import { isMarked } from './unfinished-mark.ts'

export interface OpenBundle {
  /** Absolute. */
  path: string
  /** Descriptor of its directory. */
  directory: number
  metadata: BundleMetadata
  /** The maps between the image's ids and those that this process sees. */
  mapped: IdMaps
  /** The maps between the ids that this process sees and those that the bundle states. */
  outside: IdMaps
  /** What it remembers of its tree, read on each call. @throws BUNDLE_INVALID, MTREE_INVALID */
  memory: () => Memory
  /** How many objects it remembers; 0 if that is not known without reading much. */
  expected: () => number
  /** What its disk does not hold of the image; undefined if that is nothing. @throws BUNDLE_INVALID */
  unheld: () => UnheldDocument | undefined
  /** Descriptor of the root file system. */
  rootfs: number
  /** Notes the modes of what has to be opened up in it; undefined if modes do not keep us out, or may not be changed. */
  ledger: Ledger | undefined
}

type WithoutRootfs = Omit<OpenBundle, 'rootfs' | 'ledger'>

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
  const tree = ROOTFS_DIRECTORY
  return withBundleDirectory(bundle, use, (found) =>
    suggestingNamespace(found.metadata, () =>
      whileAlone({ base: found.directory, tree, signal: use.signal }, () =>
        whileLendingIn({ ...found, tree }, use.onEvent, (ledger) =>
          withRootfs({ ...found, ledger }, act)
        )
      )
    )
  )
}

/** The same, whether or not there is a root file system. */
export async function withBundleDirectory<T>(
  bundle: string,
  { use, signal, onEvent }: BundleUse,
  act: (bundle: WithoutRootfs) => Promise<T>
): Promise<T> {
  const path = resolve(bundle)
  const directory = openBundleDirectory(path)
  try {
    await claimTidied(directory, path, {
      // while modes are changed to read the tree, nobody else may look at it
      use: privileges().overridesModes ? use : 'exclusive',
      signal,
      onEvent
    })
    assertNoForeignLoan(directory, path)
    const read: ReadBundleFile = (name) => readIfRegular(join(handlePath(directory), name))
    const metadata = inBundle(path, () => readMetadata(read))
    assertFinished(directory, path)
    const prints = fingerprintsFile(sourceManifest(metadata).digest)
    const memory = (): Memory => inBundle(path, () => readMemory(read, metadata))
    const expected = (): number => recordsIn(sizeIfThere(join(handlePath(directory), prints)))
    const unheld = (): UnheldDocument | undefined =>
      inBundle(path, () => readUnheld(read, listDirectory(directory), metadata))
    return await act({ path, directory, metadata, memory, expected, unheld, ...viewOf(metadata) })
  } finally {
    close(directory)
  }
}

/** A process that was waited for may have died, and left something to undo. */
async function claimTidied(
  directory: number,
  path: string,
  { use, signal, onEvent }: BundleUse
): Promise<void> {
  await awaitClaim(directory, use, () => pause(signal))
  if (listLeftovers(directory).abandoned.length === 0) return
  await awaitClaim(directory, 'exclusive', () => pause(signal))
  tidy(directory, path, onEvent)
}

/** In the user namespace that a bundle was made in, the kernel applies its maps. */
function viewOf({
  rootless,
  uidMaps,
  gidMaps
}: BundleMetadata): Pick<OpenBundle, 'mapped' | 'outside'> {
  const recorded = { uidMap: uidMaps, gidMap: gidMaps }
  const namespace = rootless ? undefined : namespaceIds()
  return namespace !== undefined && areMapsOf(namespace, recorded)
    ? { mapped: AS_SEEN, outside: namespace }
    : { mapped: recorded, outside: AS_SEEN }
}

async function withRootfs<T>(
  bundle: Omit<OpenBundle, 'rootfs'>,
  act: (bundle: OpenBundle) => Promise<T>
): Promise<T> {
  const { path, directory, memory, ledger } = bundle
  const rootfs = openRootfs(path, directory, ledger)
  try {
    assertStillShown({ bundle: path, directory, rootfs, memory })
    return await act({ ...bundle, rootfs })
  } finally {
    close(rootfs)
  }
}

/** Half a tree would look like a whole one with deletions. */
export function assertFinished(directory: number, path: string): void {
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

/**
 * What umoci.json says at this moment: the bundle is not kept as it is. @throws BUNDLE_INVALID
 */
export function metadataAt(bundle: string): BundleMetadata {
  const path = resolve(bundle)
  return inBundle(path, () => readMetadata((name) => readIfRegular(join(path, name))))
}

function inBundle<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw withFacts(error, { path })
  }
}

function openRootfs(path: string, directory: number, ledger: Ledger | undefined): number {
  try {
    return ledger === undefined ? openDirectory(directory, ROOTFS_DIRECTORY) : openTree(ledger)
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

function sizeIfThere(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
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

export function noRootfs(path: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle has no root file system.', {
    facts: { path: join(path, ROOTFS_DIRECTORY) },
    hint: 'The root file system must be a directory, not a link to one. Restore it, or unpack the image again.',
    cause
  })
}
