/** Real file systems in a test: each in a sparse image on a loop device, or in memory. */
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ok, run } from './run.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'

export type FileSystem = 'btrfs' | 'ext4' | 'tmpfs' | 'xfs'

export interface Mounted {
  path: string
  /** Unmounts what is there and below, and with the last mount the loop device goes. */
  release(): void
}

const MAKE: Record<Exclude<FileSystem, 'tmpfs'>, readonly string[]> = {
  btrfs: ['mkfs.btrfs', '-q'],
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q']
}

/** What `needs()` is to be asked before `mountNew`. */
export function requirementsOf(type: FileSystem): string[] {
  return type === 'tmpfs' ? ['root'] : ['root', 'loop', MAKE[type][0]!]
}

/** A new file system of 600 MB at most. The caller releases it whatever happens. */
export function mountNew(type: FileSystem): Mounted {
  const directory = makeTemporary()
  const path = join(directory, 'mnt')
  const mounted = { path, release: () => release(directory, path) }
  mkdirSync(path)
  try {
    if (type === 'tmpfs') ok('mount', '-t', 'tmpfs', '-o', 'size=600m', 'tmpfs', path)
    else ok('mount', '-o', 'loop', makeImage(type, join(directory, 'image')), path)
  } catch (error) {
    mounted.release()
    throw error
  }
  return mounted
}

function makeImage(type: keyof typeof MAKE, file: string): string {
  const [program, ...options] = MAKE[type]
  writeFileSync(file, '')
  truncateSync(file, 600 << 20)
  ok(program!, ...options, file)
  return file
}

/** A lazy unmount where somebody is still inside: better than a device that stays. */
function release(directory: string, path: string): void {
  if (run('mountpoint', '-q', path).status === 0 && run('umount', '-R', path).status !== 0)
    ok('umount', '-R', '-l', path)
  removeTemporary(directory)
}

/** A directory of its own for each test on a file system that they share. */
export function makeWithin({ path }: Mounted): string {
  return mkdtempSync(join(path, 'case-'))
}
