/** Reading the passwd and group files of a tree. */
import type { ByteString } from '../bytes.ts'
import { joinPath } from '../plan/names.ts'
import { resolve, type Directory } from '../plan/tree.ts'
import { readRegularFile } from '../sys/read-file.ts'
import { isErrno } from '../sys/failure.ts'
import type { Ledger } from '../sys/ledger.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { findFile, type FoundFile } from './find-file.ts'

/** No real account file is larger than this. */
const MAX_BYTES = 16 * 1024 * 1024

interface AccountFiles {
  passwd: ByteString | undefined
  group: ByteString | undefined
}

/** The image's account files, with links resolved inside the root; undefined for a file that does not exist. */
export function readAccounts(rootfs: number, root: Directory, ledger?: Ledger): AccountFiles {
  return readBoth(rootfs, ledger, (path) => findInPlan(root, path))
}

/** The same for a tree on disk for which there is no merged tree. */
export function readAccountsOnDisk(rootfs: number, ledger?: Ledger): AccountFiles {
  return readBoth(rootfs, ledger, (path, cursor) => findFile(cursor, path))
}

type Find = (path: ByteString, cursor: DirectoryCursor) => FoundFile | undefined

function readBoth(rootfs: number, ledger: Ledger | undefined, find: Find): AccountFiles {
  const cursor = new DirectoryCursor(rootfs, ledger)
  const read = (path: ByteString): ByteString | undefined => {
    const found = find(path, cursor)
    return found === undefined ? undefined : readFound(cursor, found)
  }
  try {
    return { passwd: read('etc/passwd'), group: read('etc/group') }
  } finally {
    cursor.release()
  }
}

function readFound(
  cursor: DirectoryCursor,
  { directory: path, name }: FoundFile
): ByteString | undefined {
  const directory = cursor.at(path)
  const read = (): ByteString | undefined => readRegularFile(directory, name, MAX_BYTES)
  try {
    return read()
  } catch (error) {
    if (cursor.lender === undefined || !isErrno(error, 'EACCES')) throw error
    return cursor.lender.whileReadable({ directory, name, path: joinPath(path, name) }, read)
  }
}

function findInPlan(root: Directory, path: ByteString): FoundFile | undefined {
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
