/**
 * Deletes a bundle: first what hooks made for it, then our files. A crash on the way leaves a bundle that can be
 * deleted.
 */
import { basename, dirname, join, resolve } from 'node:path'
import { realpathSync } from 'node:fs'
import {
  HOOKS_FILE,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY,
  UNFINISHED_FILE
} from '../bundle/files.ts'
import { parseMetadata, sourceManifest, type BundleMetadata } from '../bundle/metadata.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { BundleContext } from '../hooks/contexts.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { removeEmptyDirectory } from '../sys/names.ts'
import { isStillAt } from '../workspace/claim.ts'
import { makeOwnDirectory } from '../workspace/private-directory.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { noBundle, openBundleDirectory, readIfRegular } from './bundle/open-bundle.ts'
import { assertFree, tidy } from './place/tidy.ts'
import { contextAt, type BundleDirectory } from './bundle/bundle-site.ts'
import { openState, readMark, writeMark } from './bundle/unfinished-mark.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { assertDeletable } from './bundle/namespace-of.ts'
import { assertOriginal, readOrigin } from './bundle/origin.ts'
import { isMounted } from './bundle/shown-rootfs.ts'
import { assertRemovable, removeBundleFiles } from './bundle/remove-bundle-files.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
import { requireMaker, withStorage } from './storage/storages.ts'
import { requireOptions } from './operation/required-options.ts'

export interface DeleteBundleOptions {
  /** Directory of a bundle that unpack made, ours or umoci's; it may be unfinished or partly deleted. */
  bundle: string
  /** The hooks that made the bundle, if any did. */
  hooks?: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

/**
 * Removes a bundle: what hooks made for it, its root file system and the files of an unpack. Layers stay in their
 * storage. Other files in the directory stay, and the directory with them.
 * @throws BUNDLE_INVALID if there is none; BUNDLE_BUSY if something is mounted in it; USAGE for other hooks than those
 * that made it; BUNDLE_EXISTS while it is being made; HOOK_FAILED, HOOK_TIMEOUT, ABORTED
 */
export async function deleteBundle(options: DeleteBundleOptions): Promise<void> {
  requireOptions(options, { bundle: 'text' })
  if (options.bundle === '') throw new OciUnpackError('USAGE', 'The path of the bundle is empty.')
  const context = contextAt(resolve(options.bundle))
  const { hooks, signal, onEvent = () => undefined } = options
  await asked({ path: context.bundle }, () =>
    whileClaimed(context.bundle, async (fd) => {
      tidy(fd, context.bundle, onEvent)
      assertBundle(fd, context.bundle)
      await withStorage({ hooks }, onEvent, (storage) => remove({ fd, context }, storage, signal))
    })
  )
}

/**
 * Prevents others from making or deleting the bundle meanwhile. In the end, removes its directory if nothing else is in
 * it.
 */
async function whileClaimed(bundle: string, act: (fd: number) => Promise<void>): Promise<void> {
  const fd = openBundleDirectory(bundle)
  try {
    assertFree(fd, bundle)
    await act(fd)
    removeDirectory(bundle, fd)
  } finally {
    close(fd)
  }
}

async function remove(
  bundle: BundleDirectory,
  chosen: LayerStorage,
  signal: AbortSignal | undefined
): Promise<void> {
  const { fd, context } = bundle
  const digest = digestOf(fd, context)
  const state = join(handlePath(fd), STATE_DIRECTORY)
  const origin = readOrigin({ state })
  assertOriginal(origin, state, context.bundle)
  const maker = isOnlyMount(fd, context.bundle)
    ? chosen
    : requireMaker(origin, chosen, context.bundle)
  await maker.remove(bundle, () => removeAll(fd, context, digest), signal)
}

function removeAll(fd: number, context: BundleContext, digest: string): void {
  assertRemovable(fd, context)
  mark(fd, context, digest)
  removeBundleFiles(fd, context, digest)
}

/** From now on the bundle is incomplete: an unpack there may continue the removal. */
function mark(fd: number, { bundle }: BundleContext, digest: string): void {
  const state = openState(fd, bundle) ?? makeOwnDirectory(fd, STATE_DIRECTORY)
  try {
    if (!listDirectory(state).includes(UNFINISHED_FILE)) writeMarkIfRoom(state, digest)
  } finally {
    close(state)
  }
}

/** Works on a full disk, too: the mark counts even without its text. */
function writeMarkIfRoom(state: number, digest: string): void {
  try {
    writeMark(state, digest)
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error
  }
}

/** Digest of the image manifest, `''` if unknown. @throws BUNDLE_INVALID if only the bundle's user namespace can delete it */
function digestOf(fd: number, { bundle }: BundleContext): string {
  const metadata = metadataIn(fd)
  if (metadata !== undefined) assertDeletable(metadata, bundle)
  return markedDigest(fd, bundle) || (metadata === undefined ? '' : sourceManifest(metadata).digest)
}

function metadataIn(fd: number): BundleMetadata | undefined {
  const text = readIfRegular(join(handlePath(fd), METADATA_FILE))
  return text === undefined ? undefined : parseMetadata(text.toString())
}

function markedDigest(fd: number, bundle: string): string {
  const state = openState(fd, bundle)
  if (state === undefined) return ''
  try {
    return readMark(state)?.digest ?? ''
  } finally {
    close(state)
  }
}

/**
 * An empty directory, or an empty state directory, is left by a deletion stopped at its very end, or an unpack at its
 * very beginning.
 */
function assertBundle(fd: number, bundle: string): void {
  const names = listDirectory(fd)
  if (names.length === 0 || names.includes(METADATA_FILE) || isOnlyMount(fd, bundle)) return
  if (names.includes(STATE_DIRECTORY) && isStateOfBundle(fd, bundle, names.length === 1)) return
  throw noBundle(bundle)
}

/**
 * What `rm -r` leaves of a bundle whose root file system is mounted. Which hooks mounted it is not known any more, so those
 * that the caller chose are asked, and see from the mount whether it is theirs.
 */
function isOnlyMount(fd: number, bundle: string): boolean {
  return listDirectory(fd).join('/') === ROOTFS_DIRECTORY && isMounted(bundle)
}

function isStateOfBundle(fd: number, bundle: string, isAlone: boolean): boolean {
  const state = openState(fd, bundle)
  if (state === undefined) return false
  try {
    const names = listDirectory(state)
    return isAlone ? names.length === 0 || saysWhose(names) : saysWhose(names)
  } finally {
    close(state)
  }
}

function saysWhose(names: readonly string[]): boolean {
  return names.includes(UNFINISHED_FILE) || names.includes(HOOKS_FILE)
}

/** Other files beside the bundle stay, and the directory with them. */
function removeDirectory(bundle: string, fd: number): void {
  const path = realpathSync(bundle)
  const parent = openOperatorDirectory(fromText(dirname(path)))
  try {
    const name = fromText(basename(path))
    if (isStillAt(parent, name, fd)) removeEmptyDirectory(parent, name)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EBUSY', 'EACCES', 'EPERM')) throw error
  } finally {
    close(parent)
  }
}
