/** What can be wrong with the place where an exported file is to go. Paths are as their user gave them. */
import { dirname } from 'node:path'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { failedOutput } from '../../rootfs/output-errors.ts'

/** Nothing was written yet. Errors that are not about a failed call are returned unchanged. */
export function aboutOpening(error: unknown, path: string): unknown {
  if (!(error instanceof OciUnpackError) || error.errno === undefined) return error
  switch (error.errno) {
    case 'ENOENT':
      return noParent(path, error)
    case 'EBUSY':
      return inUse(path, error)
    case 'EACCES':
    case 'EPERM':
      return failedOutput(error, shown(path), 'Give a place at which you may write.')
    default:
      return failedOutput(error, shown(path))
  }
}

function noParent(path: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'The directory of the output does not exist.', {
    facts: { path: shown(dirname(path)) },
    hint: 'Make the directory first.',
    errno: 'ENOENT',
    cause
  })
}

function inUse(path: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('TARGET_BUSY', 'The device is in use.', {
    facts: { path: shown(path) },
    hint: 'Nothing was written. Unmount it, and end what else uses it: lsblk shows both.',
    errno: 'EBUSY',
    cause
  })
}

export function isDirectory(path: string, nameInImage: string | undefined): OciUnpackError {
  const inside = `${path.replace(/\/+$/, '')}/${nameInImage ?? 'NAME'}`
  return new OciUnpackError('TARGET_INVALID', 'The output is a directory.', {
    facts: { path: shown(path) },
    hint: `Name the new file, too: ${shown(inside)}.`
  })
}

export function noFileName(path: string): OciUnpackError {
  return new OciUnpackError(
    'TARGET_INVALID',
    'The output would be a directory, and is not there.',
    {
      facts: { path: shown(path) },
      hint: 'Leave out the slash at the end for a new file, or make the directory and name a file in it.'
    }
  )
}

function shown(path: string): string {
  return display(fromText(path))
}

export function readOnly(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'The device is read-only.', {
    facts: { path: shown(path) },
    hint: 'Nothing was written. Make the device writable (blockdev --setrw), or give another.'
  })
}

export function exists(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'Something already exists where the file is to go.', {
    facts: { path: shown(path) },
    hint: 'An existing file is never overwritten. Remove it, or give another path.'
  })
}
