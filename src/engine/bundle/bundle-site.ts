/**
 * Where a bundle is made with hooks: at its final place, because hooks mount there. The place is claimed before the
 * first file is made in it, and marked until the bundle is complete. A mark in a place that no process has claimed was
 * left by one that died; what it left is removed.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOTFS_DIRECTORY, STATE_DIRECTORY, UNFINISHED_FILE } from '../../bundle/files.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import type { Owner } from '../../hooks/owner.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { setModeOf } from '../../sys/metadata.ts'
import { removeFile } from '../../sys/names.ts'
import { openOrMakeDirectory, type OperatorDirectory } from '../../sys/operator-directory.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { inodeKey, status } from '../../sys/status.ts'
import { fromText } from '../../bytes.ts'
import { makeOwnDirectory, removeIfEmpty } from '../../workspace/private-directory.ts'
import type { OnEvent } from '../operation/events.ts'
import { assertFree, tidy } from '../place/tidy.ts'
import { refuseExistingBundle } from './new-bundle.ts'
import { whileOwned } from './claim-bundle.ts'
import { openState, readMark, writeMark } from './unfinished-mark.ts'
import { assertOriginal, readOrigin } from './origin.ts'
import { removeBundleFiles } from './remove-bundle-files.ts'

/** The directory of a bundle, locked against other engines. */
export interface BundleDirectory {
  readonly context: BundleContext
  /** Descriptor. */
  readonly fd: number
}

/** A bundle that is being made. The engine itself writes through the handles; hooks are given paths. */
export interface BundleSite extends BundleDirectory {
  /** A path that leads through the descriptor. */
  readonly path: string
  /** The same for the state directory. */
  readonly state: string
}

export interface SiteOptions {
  /** Absolute. */
  bundle: string
  /** Digest of the image manifest; files of the bundle are named after it. */
  digest: string
  owner: Owner
  /** Undoes what the hooks of a dead process made for the bundle. */
  recover: (bundle: BundleContext) => Promise<void>
  onEvent: OnEvent
}

/**
 * Runs `act` at the place of a new bundle. If it fails, everything that was not there before is removed. @throws
 * BUNDLE_EXISTS
 */
export async function withBundleSite<T>(
  options: SiteOptions,
  act: (site: BundleSite) => Promise<T>
): Promise<T> {
  const directory = claimDirectory(options.bundle)
  try {
    return await whileOwned(options.owner, directory.fd, options.bundle, () =>
      makeAt(directory.fd, options, act)
    )
  } catch (error) {
    directory.removeNew()
    throw error
  } finally {
    directory.close()
  }
}

async function makeAt<T>(
  fd: number,
  options: SiteOptions,
  act: (site: BundleSite) => Promise<T>
): Promise<T> {
  const { mode } = status(fd, '')
  try {
    tidy(fd, options.bundle, options.onEvent)
    await removeUnfinished(fd, options)
    refuseExistingBundle(options.bundle)
    // keeps set-user-ID programs and devices of an untrusted image out of other users' reach from the start
    setModeOf(fd, PRIVATE_MODE)
    return await whileMarked(fd, options, act)
  } catch (error) {
    restoreMode(fd, mode)
    throw error
  }
}

export function contextAt(bundle: string): BundleContext {
  return { bundle, rootfs: join(bundle, ROOTFS_DIRECTORY), state: join(bundle, STATE_DIRECTORY) }
}

/** The previous owner of the place may have removed it between two of our calls: then it is made again. */
function claimDirectory(bundle: string): OperatorDirectory {
  for (;;) {
    const directory = openPlace(bundle)
    try {
      assertFree(directory.fd, bundle)
    } catch (error) {
      directory.close() // it belongs to whoever claimed it first, even if we made it
      throw error
    }
    try {
      if (leadsTo(bundle, directory.fd)) return directory
    } catch (error) {
      directory.removeNew()
      directory.close()
      throw error
    }
    directory.close()
  }
}

function openPlace(bundle: string): OperatorDirectory {
  try {
    return openOrMakeDirectory(bundle)
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) statSync(bundle) // fails in the same way, but names the whole path
    throw error
  }
}

function leadsTo(path: string, fd: number): boolean {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return false
  const found = openOperatorDirectory(fromText(path))
  try {
    return inodeKey(status(found, '')) === inodeKey(status(fd, ''))
  } finally {
    close(found)
  }
}

async function whileMarked<T>(
  fd: number,
  { bundle, digest }: SiteOptions,
  act: (site: BundleSite) => Promise<T>
): Promise<T> {
  const context = contextAt(bundle)
  const state = makeOwnDirectory(fd, STATE_DIRECTORY)
  try {
    writeMark(state, digest)
    const result = await act({ context, fd, path: handlePath(fd), state: handlePath(state) })
    removeFile(state, UNFINISHED_FILE)
    return result
  } catch (error) {
    attemptToRemove(fd, context, digest)
    throw error
  } finally {
    close(state)
  }
}

/** The original failure says more. The mark is still there, so the next unpack will try again. */
function attemptToRemove(fd: number, context: BundleContext, digest: string): void {
  try {
    removeBundleFiles(fd, context, digest)
  } catch {
    // hooks could not undo everything
  }
}

async function removeUnfinished(
  fd: number,
  { bundle, recover, onEvent }: SiteOptions
): Promise<void> {
  const state = openState(fd, bundle)
  if (state === undefined) return
  try {
    const mark = readMark(state)
    if (mark === undefined) {
      removeIfEmpty(fd, STATE_DIRECTORY) // left by a process that died before it made the mark
      return
    }
    const context = contextAt(bundle)
    assertOriginal(readOrigin({ state: handlePath(state) }), handlePath(state), bundle)
    await recover(context)
    removeBundleFiles(fd, context, mark.digest)
    onEvent({ type: 'leftover', path: bundle, undone: false })
  } finally {
    close(state)
  }
}

/** For a directory that existed before; a new one is removed. */
function restoreMode(fd: number, mode: number): void {
  try {
    setModeOf(fd, mode)
  } catch {
    // the original failure says more
  }
}
