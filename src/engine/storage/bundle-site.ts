/**
 * Where a bundle is made with the help of hooks: at its final place, because hooks mount there. Until it is complete it
 * bears a mark that is locked; a mark that nobody holds belongs to a process that died, and what it left is removed.
 */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  fingerprintsFile,
  manifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY,
  UNFINISHED_FILE
} from '../../bundle/files.ts'
import { fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { removeTree } from '../../rootfs/remove.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { tryLock } from '../../sys/lock.ts'
import { makeParents, removeIfEmpty } from '../workspace.ts'
import { refuseExistingBundle } from '../write-bundle.ts'

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
    if (!tryLock(fd, 'exclusive')) throw busy(context)
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
    if (!tryLock(fd, 'exclusive')) throw busy(context)
    await recover(context)
    removeBundleFiles(context, readFileSync(fd, 'utf8'))
  } finally {
    closeSync(fd)
  }
}

function openMark(state: string): number | undefined {
  try {
    return openSync(join(state, UNFINISHED_FILE), 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Removes all that makes a bundle, whatever of it is there. `digest` is that of the image manifest.
 * @throws BUNDLE_BUSY where the root file system is still mounted or a volume of its own
 */
export function removeBundleFiles({ bundle, rootfs, state }: BundleContext, digest: string): void {
  removeRootfs(bundle, rootfs)
  for (const name of [METADATA_FILE, CONFIG_FILE, manifestFile(digest), fingerprintsFile(digest)])
    rmSync(join(bundle, name), { force: true })
  rmSync(state, { recursive: true, force: true })
}

/** What is mounted there, or is a volume of its own, belongs to a hook: its files are not ours to delete. */
function removeRootfs(bundle: string, rootfs: string): void {
  const found = statSync(rootfs, { throwIfNoEntry: false })
  if (found === undefined) return
  if (found.dev !== statSync(bundle).dev) throw stillThere(rootfs)
  const fd = openOperatorDirectory(fromText(bundle))
  try {
    removeTree(fd, ROOTFS_DIRECTORY)
  } finally {
    close(fd)
  }
}

function busy({ bundle }: BundleContext): OciUnpackError {
  return new OciUnpackError('BUNDLE_EXISTS', 'Another process is making a bundle there.', {
    facts: { path: bundle }
  })
}

function stillThere(path: string): OciUnpackError {
  return new OciUnpackError('BUNDLE_BUSY', 'The root file system cannot be removed.', {
    facts: { path, reason: 'it is still mounted, or a volume of its own' },
    hint: 'Use the hooks that made the bundle; end what still works in it, and try again.'
  })
}
