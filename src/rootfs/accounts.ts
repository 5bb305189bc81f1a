/** Reading the passwd and group files of a tree. */
import type { ByteString } from '../bytes.ts'
import { joinPath } from '../plan/names.ts'
import { resolve, type Directory } from '../plan/tree.ts'
import { readRegularFile } from '../sys/read-file.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close } from '../sys/files.ts'
import { findFile } from './find-file.ts'

/** No real account file is larger than this. */
const MAX_BYTES = 16 * 1024 * 1024

interface AccountFiles {
  passwd: ByteString | undefined
  group: ByteString | undefined
}

/** The image's account files, with links resolved inside the root; undefined for a file that does not exist. */
export function readAccounts(rootfs: number, root: Directory): AccountFiles {
  return readBoth(rootfs, (path) => findInPlan(root, path))
}

/** The same for a tree on disk for which there is no merged tree. */
export function readAccountsOnDisk(rootfs: number): AccountFiles {
  return readBoth(rootfs, (path) => findFile(rootfs, path))
}

type Find = (path: ByteString) => ReturnType<typeof findFile>

function readBoth(rootfs: number, find: Find): AccountFiles {
  const read = (path: ByteString): ByteString | undefined => readFound(rootfs, find(path))
  return { passwd: read('etc/passwd'), group: read('etc/group') }
}

function readFound(rootfs: number, found: ReturnType<Find>): ByteString | undefined {
  if (found === undefined) return undefined
  const parent = openBeneath(rootfs, found.directory)
  try {
    return readRegularFile(parent, found.name, MAX_BYTES)
  } finally {
    close(parent)
  }
}

function findInPlan(root: Directory, path: ByteString): ReturnType<Find> {
  const { directory, missing } = resolve(root, path)
  const [name, ...further] = missing
  if (name === undefined || further.length > 0) return undefined
  const node = directory.children.get(name)
  if (node?.kind !== 'leaf' || node.inode.type !== 'file') return undefined
  return { directory: pathOf(directory), name }
}

function pathOf(directory: Directory): ByteString {
  return directory.parent === undefined ? '' : joinPath(pathOf(directory.parent), directory.name)
}
