import type { ByteString } from '../bytes.ts'
import { joinPath } from '../plan/names.ts'
import { resolve, type Directory } from '../plan/tree.ts'
import { readRegularFile } from '../sys/read-file.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close } from '../sys/files.ts'

/** Larger account files than this are nobody's. */
const MAX_BYTES = 16 * 1024 * 1024

/** The image's account files, found inside the root whatever links lead there; undefined where there is none. */
export function readAccounts(
  rootfs: number,
  root: Directory
): { passwd: ByteString | undefined; group: ByteString | undefined } {
  return {
    passwd: readInRoot(rootfs, root, 'etc/passwd'),
    group: readInRoot(rootfs, root, 'etc/group')
  }
}

function readInRoot(rootfs: number, root: Directory, path: ByteString): ByteString | undefined {
  const { directory, missing } = resolve(root, path)
  const [name, ...further] = missing
  if (name === undefined || further.length > 0) return undefined
  const node = directory.children.get(name)
  if (node?.kind !== 'leaf' || node.inode.type !== 'file') return undefined
  const parent = openBeneath(rootfs, pathOf(directory))
  try {
    return readRegularFile(parent, name, MAX_BYTES)
  } finally {
    close(parent)
  }
}

function pathOf(directory: Directory): ByteString {
  return directory.parent === undefined ? '' : joinPath(pathOf(directory.parent), directory.name)
}
