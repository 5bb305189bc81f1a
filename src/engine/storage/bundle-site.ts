/**
 * Where a bundle is made with the help of hooks: at its final place, because hooks mount there. Until it is complete it
 * bears a mark that is locked; a mark that nobody holds belongs to a process that died, and what it left is removed.
 */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOTFS_DIRECTORY, STATE_DIRECTORY, UNFINISHED_FILE } from '../../bundle/files.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { makeParents, removeIfEmpty } from '../workspace.ts'
import { refuseExistingBundle } from '../write-bundle.ts'
import { assertUnclaimed, openMark, readMark } from './mark.ts'
import { removeBundleFiles } from './remove-bundle.ts'

const PRIVATE_MODE = 0o700

export interface SiteOptions {
  /** Absolute. */
  bundle: string
  /** Of the image manifest: its files are named after it. */
  digest: string
  /** Undoes what the hooks of a process that died have made for the bundle. */
  recover: (bundle: BundleContext) => Promise<void>
}

/** Runs `act` at the place of a new bundle. Where it fails, what was not there before is gone. @throws BUNDLE_EXISTS */
export async function withBundleSite<T>(
  { bundle, digest, recover }: SiteOptions,
  act: (bundle: BundleContext) => Promise<T>
): Promise<T> {
  const context = contextAt(bundle)
  const made = makeParents(bundle)
  const { mode } = statSync(bundle)
  try {
    await removeLeftovers(context, recover)
    refuseExistingBundle(bundle)
    // set-user-ID programs and devices of a stranger's image are out of other users' reach from the beginning
    chmodSync(bundle, PRIVATE_MODE)
    return await whileMarked(context, digest, act)
  } catch (error) {
    chmodSync(bundle, mode & 0o7777)
    for (const path of made) removeIfEmpty(path)
    throw error
  }
}

export function contextAt(bundle: string): BundleContext {
  return { bundle, rootfs: join(bundle, ROOTFS_DIRECTORY), state: join(bundle, STATE_DIRECTORY) }
}

async function whileMarked<T>(
  context: BundleContext,
  digest: string,
  act: (bundle: BundleContext) => Promise<T>
): Promise<T> {
  mkdirSync(context.state, { mode: PRIVATE_MODE })
  const mark = join(context.state, UNFINISHED_FILE)
  writeFileSync(mark, digest, { flag: 'wx' })
  const fd = openSync(mark, 'r')
  try {
    assertUnclaimed(fd, context)
    const result = await act(context)
    rmSync(mark)
    return result
  } catch (error) {
    attemptToRemove(context, digest)
    throw error
  } finally {
    closeSync(fd)
  }
}

/** The failure that led here says more; with the mark still there the next unpack tries again. */
function attemptToRemove(context: BundleContext, digest: string): void {
  try {
    removeBundleFiles(context, digest)
  } catch {
    // what hooks could not undo
  }
}

async function removeLeftovers(
  context: BundleContext,
  recover: SiteOptions['recover']
): Promise<void> {
  if (statSync(context.state, { throwIfNoEntry: false }) === undefined) return
  const fd = openMark(context.state)
  if (fd === undefined) {
    removeIfEmpty(context.state) // of a process that died before it made the mark
    return
  }
  try {
    assertUnclaimed(fd, context)
    await recover(context)
    removeBundleFiles(context, readMark(fd))
  } finally {
    closeSync(fd)
  }
}
