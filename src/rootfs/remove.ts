/** Removes trees, never following a link. */
import type { ByteString } from '../bytes.ts'
import { openDirectory, close } from '../sys/files.ts'
import { isErrno } from '../sys/failure.ts'
import { listDirectoryTypes } from '../sys/directory.ts'
import { removeEmptyDirectory, removeFile } from '../sys/names.ts'

/** Removes `name` in `directory` and all below it; that it is not there is fine. */
export function removeTree(directory: number, name: ByteString): void {
  try {
    removeFile(directory, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error
    emptyDirectory(directory, name)
    removeEmptyDirectory(directory, name)
  }
}

function emptyDirectory(directory: number, name: ByteString): void {
  const fd = openDirectory(directory, name)
  try {
    for (const entry of listDirectoryTypes(fd))
      if (entry.isDirectory()) removeTree(fd, entry.name)
      else removeFile(fd, entry.name)
  } finally {
    close(fd)
  }
}
