/** What is in the way of a selection in its destination, looked up by handles without following links. */
import { display, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import { baseName, joinPath, parentPath } from '../../plan/names.ts'
import { DirectoryCursor } from '../../rootfs/directory-cursor.ts'
import { objectEntry } from '../../rootfs/object-entry.ts'
import { isErrno } from '../../sys/failure.ts'
import { inodeKey, status, type Status } from '../../sys/status.ts'
import type { Selection } from './selection.ts'

/**
 * Adds it below what is extracted: directories stay, and files that may be overwritten are replaced.
 * @param root descriptor of the directory. @param destination its path, for messages
 * @throws TARGET_INVALID if something is there that must not be replaced
 */
export function addWhatIsThere(
  stack: LayerStack,
  root: number,
  destination: string,
  selection: Selection,
  overwrite: boolean
): void {
  const cursor = new DirectoryCursor(root)
  const directories = new Set<ByteString>([''])
  const add = (path: ByteString, found: Status): void => {
    const walked = {
      path,
      status: found,
      directory: cursor.at(parentPath(path)),
      name: baseName(path)
    }
    stack.addExisting(objectEntry(walked, []), inodeKey(found))
  }
  try {
    stack.addExisting(
      objectEntry({ path: '', status: status(root, ''), directory: root, name: '' }, []),
      ''
    )
    for (const [path, { kind }] of selection) {
      if (!directories.has(parentPath(path))) continue
      const found = statusIfThere(cursor.at(parentPath(path)), baseName(path))
      if (found === undefined) continue
      const isDirectory = found.type === 'directory'
      if (isDirectory !== (kind === 'directory') || !(isDirectory || overwrite))
        throw inTheWay(joinPath(destination, display(path)), found, kind === 'leaf' && !isDirectory)
      add(path, found)
      if (isDirectory) directories.add(path)
    }
  } finally {
    cursor.release()
  }
}

function statusIfThere(directory: number, name: ByteString): Status | undefined {
  try {
    return status(directory, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function inTheWay(path: string, { type }: Status, couldGo: boolean): OciUnpackError {
  const hint = couldGo
    ? 'Extract to another directory, or allow overwriting with {overwrite}.'
    : 'Extract to another directory: only files are overwritten, and links are not followed.'
  return new OciUnpackError('TARGET_INVALID', 'Something else is already there.', {
    facts: { path, found: type },
    hint
  })
}
