/** Gives a file another name in another directory: the file itself where that is possible, or else a copy. */
import { copyBody } from '../../rootfs/copy-body.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openFile } from '../../sys/files.ts'
import { makeLink, removeFileIfThere, renameOver } from '../../sys/names.ts'
import { status } from '../../sys/status.ts'
import { createNewFile } from '../../workspace/new-file.ts'
import { privateName } from '../../workspace/private-name.ts'

/** A name in an open directory. */
export interface Place {
  directory: number
  name: string
}

/**
 * The file appears complete or not at all. A copy is made on another file system, of a file of another user, and of one that
 * has too many names.
 * @param replaces whether it may take the place of a file
 * @throws SyscallError, EEXIST if it may not
 */
export function shareFile(from: Place, to: Place, replaces: boolean): void {
  const temporary = { ...to, name: privateName(to.name) }
  if (!linked(from, replaces ? temporary : to)) copy(from, to, temporary.name, replaces)
  else if (replaces) take(temporary, to)
}

function linked(from: Place, to: Place): boolean {
  try {
    makeLink(from.directory, from.name, to.directory, to.name)
    return true
  } catch (error) {
    if (isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP', 'ENOTSUP')) return false
    throw error
  }
}

/** If both are names of one file already, a rename changes nothing. */
function take(temporary: Place, to: Place): void {
  try {
    renameOver(temporary.directory, temporary.name, to.directory, to.name)
  } finally {
    removeFileIfThere(temporary.directory, temporary.name)
  }
}

function copy(from: Place, to: Place, temporary: string, replaces: boolean): void {
  const fd = openFile(from.directory, from.name)
  try {
    const { size, mode } = status(fd, '')
    const file = createNewFile(to.directory, temporary)
    try {
      copyBody(fd, file.fd, size)
      file.publish({ ...to, replaces, mode })
    } finally {
      file.discard()
    }
  } finally {
    close(fd)
  }
}
