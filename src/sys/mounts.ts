/** What is mounted where, as this process sees it: proc_pid_mountinfo(5). */
import { closeSync, openSync } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { readFile } from './read.ts'

/** The mount points below an absolute path without symbolic links. */
export function mountsBelow(path: ByteString): ByteString[] {
  return mountInfo()
    .map((fields) => unescape(fields[4] ?? ''))
    .filter((point) => point.startsWith(`${path}/`))
}

/** File systems in which the kernel shows itself: nothing in them is a file that could be stored. */
const OF_KERNEL = /^(?:proc|sysfs|cgroup2?|devpts|devtmpfs|mqueue|securityfs|debugfs|tracefs|bpf)$/

/** Those of `mountsBelow` where the kernel shows itself. */
export function kernelMountsBelow(path: ByteString): ByteString[] {
  return mountInfo()
    .filter((fields) => OF_KERNEL.test(fields[fields.indexOf('-') + 1] ?? ''))
    .map((fields) => unescape(fields[4] ?? ''))
    .filter((point) => point.startsWith(`${path}/`))
}

/** Flags that mount_namespaces(7) locks if a less privileged namespace takes over a mount. */
const LOCKED_FLAGS = ['ro', 'nodev', 'noexec', 'nosuid', 'noatime', 'relatime', 'nodiratime']

/**
 * The flags of a path's mount that a user namespace cannot clear. Links are followed. Undefined if the path does not
 * exist.
 */
export function lockedMountFlags(path: string): string[] | undefined {
  const id = mountId(path)
  if (id === undefined) return undefined
  const fields = mountInfo().find(([own]) => own === id) ?? []
  // flags of the mount and of its file system, since either may be read-only
  const found = [fields[5] ?? '', fields.at(-1) ?? ''].flatMap((list) => list.split(','))
  return LOCKED_FLAGS.filter((flag) => found.includes(flag))
}

/** Opens only a place: a user who may not read a file may still see where it is. */
const O_PATH = 0o10000000

function mountId(path: string): string | undefined {
  let fd: number
  try {
    fd = openSync(path, O_PATH)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return mountIdOf(fd)
  } finally {
    closeSync(fd)
  }
}

/** The number of the mount that an open file was reached through. */
export function mountIdOf(fd: number): string | undefined {
  return /^mnt_id:\s*(\d+)$/m.exec(readFile(`/proc/self/fdinfo/${fd}`).toString('latin1'))?.[1]
}

/** What is mounted at a place that is open. */
export interface MountedHere {
  /** As in /proc/filesystems. */
  fileSystem: string
  /** Where it is mounted. */
  point: ByteString
}

/** The mount that an open file was reached through. */
export function mountOf(fd: number): MountedHere | undefined {
  const id = mountIdOf(fd)
  const fields = mountInfo().find(([own]) => own === id)
  if (fields === undefined) return undefined
  return { fileSystem: fields[fields.indexOf('-') + 1] ?? '', point: unescape(fields[4] ?? '') }
}

function mountInfo(): string[][] {
  const lines = readFile('/proc/self/mountinfo').toString('latin1').split('\n')
  return lines.map((line) => line.split(' '))
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescape(field: string): ByteString {
  return field.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(parseInt(digits, 8))
  )
}
