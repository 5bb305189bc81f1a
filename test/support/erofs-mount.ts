/** What the kernel sees in an image, in the form in which our own reader gives it. */
import { readdirSync, readFileSync, readlinkSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readXattrs } from '../../src/rootfs/xattrs.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { inodeKey, status } from '../../src/sys/status.ts'
import { compareBytes } from '../../src/bytes.ts'
import { digestOf, type Seen } from './erofs-read.ts'
import { ok } from './run.ts'

export const MOUNT_NEEDS: readonly string[] = ['root', 'loop', 'erofs']

/** Runs with an image mounted below `directory`, on loop devices; detaches them whatever happens. */
export function withErofs<T>(
  directory: string,
  files: readonly string[],
  work: (mounted: string) => T
): T {
  const at = join(directory, 'mnt')
  mkdirSync(at)
  const loops: string[] = []
  try {
    for (const file of files)
      loops.push(ok('losetup', '--find', '--show', '--read-only', file).stdout.trim())
    const [image, ...devices] = loops
    const options = ['ro', ...devices.map((device) => `device=${device}`)].join(',')
    ok('mount', '-t', 'erofs', '-o', options, image!, at)
    try {
      return work(at)
    } finally {
      ok('umount', at)
    }
  } finally {
    for (const loop of loops) ok('losetup', '--detach', loop)
  }
}

/** All objects below a directory, by path. */
export function readMounted(root: string): Map<string, Seen> {
  const paths = [...pathsBelow(root, '')]
  const names = new Map<string, string[]>()
  for (const path of paths) {
    const key = inodeKey(status(AT_FDCWD, `${root}/${path}`))
    names.set(key, [...(names.get(key) ?? []), path].sort())
  }
  return new Map(paths.map((path) => [path, seen(`${root}/${path}`, names)]))
}

function seen(path: string, names: ReadonlyMap<string, readonly string[]>): Seen {
  const found = status(AT_FDCWD, path)
  const own = names.get(inodeKey(found))!
  if (found.type !== 'directory' && found.nlink !== own.length)
    throw new Error(`${path} has ${found.nlink} links and ${own.length} names`)
  return {
    type: found.type,
    mode: found.mode,
    uid: found.uid,
    gid: found.gid,
    mtime: { sec: found.mtimeSec, nsec: found.mtimeNsec },
    xattrs: [...readXattrs(AT_FDCWD, path)].sort(([a], [b]) => compareBytes(a, b)),
    device: [found.devMajor, found.devMinor],
    link: found.type === 'symlink' ? readlinkSync(bytes(path), 'latin1') : '',
    body: found.type === 'file' ? digestOf(readFileSync(bytes(path))) : '',
    names: own
  }
}

function* pathsBelow(root: string, path: string): Generator<string> {
  yield path
  if (status(AT_FDCWD, `${root}/${path}`).type !== 'directory') return
  for (const name of readdirSync(bytes(`${root}/${path}`), 'latin1'))
    yield* pathsBelow(root, path === '' ? name : `${path}/${name}`)
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}
