/** Looking up a path in an untrusted tree on disk: links lead only to places inside its root. */
import type { ByteString } from '../bytes.ts'
import { isErrno } from '../sys/failure.ts'
import { readSymlink } from '../sys/names.ts'
import { status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'

/** The same limit as umoci's. */
const MAX_SYMLINKS = 255

/** Where a file is, relative to the root; there is no link on the way. */
export interface FoundFile {
  directory: ByteString
  name: ByteString
}

/**
 * The directory (relative to the root, without links) and the name of the file that a path leads to. Undefined if it
 * leads to nothing, to a directory or into a loop.
 */
export function findFile(cursor: DirectoryCursor, path: ByteString): FoundFile | undefined {
  const pending = path.split('/').reverse()
  let at: ByteString[] = []
  let links = 0
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      at.pop()
      continue
    }
    const found = look(cursor, at.join('/'), name)
    if (found === undefined) return undefined
    if (found.type === 'directory') at.push(name)
    else if (found.link === undefined)
      return pending.length === 0 ? { directory: at.join('/'), name } : undefined
    else {
      if (++links > MAX_SYMLINKS) return undefined
      if (found.link.startsWith('/')) at = []
      pending.push(...found.link.split('/').reverse())
    }
  }
  return undefined
}

function look(
  cursor: DirectoryCursor,
  directory: ByteString,
  name: ByteString
): { type: string; link: ByteString | undefined } | undefined {
  const fd = cursor.at(directory)
  try {
    const { type } = status(fd, name)
    return { type, link: type === 'symlink' ? readSymlink(fd, name) : undefined }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
