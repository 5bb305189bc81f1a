/** The bundles directly below a directory, and which of them is in use. */
import { existsSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { METADATA_FILE, ROOTFS_DIRECTORY, STATE_DIRECTORY } from '../../bundle/files.ts'
import { fromText } from '../../bytes.ts'
import { isWithin } from '../../sys/is-within.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import { isPrivateName } from '../../workspace/private-name.ts'

/**
 * Names of the directories that are bundles, complete or not, in order. Links are not followed: they only select. What may not be
 * looked into is left out.
 */
export function bundleNames(directory: string): string[] {
  return entries(directory)
    .filter((entry) => entry.isDirectory() && isBundle(join(directory, entry.name)))
    .map(({ name }) => name)
    .sort()
}

/** Complete or not. */
export function isBundle(path: string): boolean {
  return [METADATA_FILE, STATE_DIRECTORY].some((name) => existsSync(join(path, name)))
}

/** Names of the symbolic links in the directory that lead to the bundle or into it. */
export function linksTo(directory: string, name: string): string[] {
  const bundle = realpathSync(join(directory, name))
  return entries(directory)
    .filter((entry) => entry.isSymbolicLink() && !isPrivateName(fromText(entry.name)))
    .filter((entry) => leadsTo(join(directory, entry.name), bundle))
    .map((link) => link.name)
    .sort()
}

function leadsTo(link: string, bundle: string): boolean {
  try {
    return isWithin(realpathSync(link), bundle)
  } catch {
    return false // it leads nowhere
  }
}

function entries(directory: string): Dirent[] {
  return readdirSync(directory, { withFileTypes: true })
}

/** Whether something is mounted at the bundle or in it. A volume that is no mount, as Btrfs has them, does not count. */
export function hasMounts(directory: string, name: string): boolean {
  const above = realpathSync(directory)
  const bundle = fromText(join(above, name))
  return mountsBelow(above === '/' ? '' : fromText(above)).some((point) => isWithin(point, bundle))
}

/** Whether a process has its root in the bundle, as in a container whose mounts cannot be seen from here. */
export function isRootOfProcess(bundle: string): boolean {
  const rootfs = identityOf(join(bundle, ROOTFS_DIRECTORY))
  if (rootfs === undefined) return false
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .some((pid) => identityOf(`/proc/${pid}/root`) === rootfs)
}

/** Undefined also for a process that has ended, or is another user's. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
