/** The disk of a KubeVirt containerDisk: the only file below `disk/`. */
import { display, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { joinPath } from '../../plan/names.ts'
import type { FileSearch, FoundInode } from './file-search.ts'
import type { FoundFile } from './find-files.ts'

const DISK_DIRECTORY: ByteString = 'disk'

export const DISK_SEARCH: FileSearch = {
  path: DISK_DIRECTORY,
  guess: { below: DISK_DIRECTORY },
  choose: diskIn,
  missing: noDirectory
}

/** @throws PATH_NOT_FOUND, PATH_INVALID */
function diskIn({ path, node }: FoundFile): FoundInode {
  if (node.kind !== 'directory') throw none([{ path, type: node.inode.type }])
  const disks: FoundInode[] = []
  const others: OtherObject[] = []
  for (const [name, child] of node.children) {
    const inside = joinPath(path, name)
    const type = child.kind === 'directory' ? 'directory' : child.inode.type
    if (child.kind === 'leaf' && type === 'file') disks.push({ path: inside, inode: child.inode })
    else others.push({ path: inside, type })
  }
  const [disk] = disks
  if (disk !== undefined && disks.length === 1) return disk
  throw disk === undefined ? none(others) : several(disks)
}

/** What is there and cannot be a disk. */
interface OtherObject {
  path: ByteString
  type: string
}

const SHOWN = 5

function none(others: readonly OtherObject[]): OciUnpackError {
  const names = others.map(({ path, type }) => `/${display(path)} (${type})`).sort()
  const found = [...names.slice(0, SHOWN), ...(names.length > SHOWN ? ['…'] : [])]
  return new OciUnpackError('PATH_NOT_FOUND', 'The image has no disk.', {
    facts: {
      expected: 'one regular file in the directory /disk',
      ...(found.length === 0 ? {} : { found: found.join(', ') })
    },
    hint: others.some(({ type }) => type === 'symlink') ? LINK : NOT_A_CONTAINER_DISK
  })
}

function several(disks: readonly FoundInode[]): OciUnpackError {
  const names = disks.map(({ path }) => `/${display(path)}`).sort()
  return new OciUnpackError('PATH_INVALID', 'The image has several disks.', {
    facts: { expected: 'one regular file in the directory /disk', found: names.join(', ') },
    hint: 'Give the path of one of them instead of {disk}.'
  })
}

/** For an image that does not even have the directory. */
function noDirectory(error: unknown): unknown {
  return error instanceof OciUnpackError && error.code === 'PATH_NOT_FOUND' ? none([]) : error
}

const LINK = 'Symbolic links there do not count. Give the path of the disk instead of {disk}.'

const NOT_A_CONTAINER_DISK =
  'Images for KubeVirt keep their disk there. To see what this one contains: oci-unpack file list.'
