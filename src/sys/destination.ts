/** The directory that an operation changes, by the path that the operator gave. */
import { basename, dirname } from 'node:path'
import { fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { SyscallError } from './failure.ts'
import { close, openDirectory, openPlace, openOperatorDirectory } from './files.ts'
import { handlePath } from './handle-path.ts'
import { readSymlink } from './names.ts'
import { status } from './status.ts'

/**
 * Opens the directory; from then on only the handle counts. The path may be a link, but not one of another user, who
 * could lead root anywhere. (Links further up are the operator's choice.)
 * @param path absolute
 * @throws TARGET_INVALID for another user's link, SyscallError
 */
export function openDestination(path: string): number {
  const parent = openOperatorDirectory(fromText(dirname(path)))
  try {
    const name = fromText(basename(path)) || '.'
    const isLink = status(parent, name).type === 'symlink'
    return isLink ? openThrough(parent, name, path) : openDirectory(parent, name)
  } finally {
    close(parent)
  }
}

/** Checks and follows the same object, whatever has the name by then. */
function openThrough(parent: number, name: ByteString, path: string): number {
  const link = openPlace(parent, name)
  try {
    const { type, uid } = status(link, '')
    if (type !== 'symlink') throw new SyscallError('ESTALE', `openat("${name}")`, path)
    if (uid !== 0 && uid !== process.geteuid!()) throw anothersLink(path, uid)
    const target = readSymlink(link, '')
    return openOperatorDirectory(
      target.startsWith('/') ? target : `${handlePath(parent)}/${target}`
    )
  } finally {
    close(link)
  }
}

function anothersLink(path: string, uid: number): OciUnpackError {
  return new OciUnpackError(
    'TARGET_INVALID',
    'The path is a symbolic link that another user made.',
    {
      facts: { path, found: `uid ${uid}` },
      hint: 'Check where it leads. If that is what you want, give the path it leads to.'
    }
  )
}
