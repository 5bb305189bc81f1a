/** Real file systems in a test, in memory: tmpfs itself, or a sparse image in a tmpfs on a loop device. */
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ok, run } from './run.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'

export type FileSystem = 'btrfs' | 'ext4' | 'tmpfs' | 'xfs'

export interface Mounted {
  path: string
  /** Unmounts what is there and below; with the last mount the loop device goes. */
  release: () => void
}

const MAKE = {
  btrfs: ['mkfs.btrfs', '-q'],
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q']
} as const

/** What `needs()` is to be asked before `mountNew`. */
export function requirementsOf(type: FileSystem): string[] {
  return type === 'tmpfs' ? ['root'] : ['root', 'loop', MAKE[type][0]]
}

/** A new file system of `megabytes` at most, sparse. The caller releases it whatever happens. */
export function mountNew(type: FileSystem, megabytes = 600): Mounted {
  const memory = makeTemporary()
  const release = () => releaseMemory(memory)
  try {
    ok('mount', '-t', 'tmpfs', '-o', `size=${megabytes + 100}m`, 'tmpfs', memory)
    return { path: type === 'tmpfs' ? memory : mountImage(type, memory, megabytes), release }
  } catch (error) {
    release()
    throw error
  }
}

function mountImage(type: keyof typeof MAKE, directory: string, megabytes: number): string {
  const [program, ...options] = MAKE[type]
  const image = join(directory, 'image')
  const path = join(directory, 'mnt')
  writeFileSync(image, '')
  truncateSync(image, megabytes * 2 ** 20)
  ok(program, ...options, image)
  mkdirSync(path)
  ok('mount', '-o', 'loop', image, path)
  return path
}

/** A lazy unmount where somebody is still inside: better than a device that stays. */
function releaseMemory(memory: string): void {
  if (run('mountpoint', '-q', memory).status === 0 && run('umount', '-R', memory).status !== 0)
    ok('umount', '-R', '-l', memory)
  removeTemporary(memory)
}

/** A directory of its own for each test on a file system that they share. */
export function makeWithin({ path }: Mounted): string {
  return mkdtempSync(join(path, 'case-'))
}
