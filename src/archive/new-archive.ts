/** An archive that appears under its name complete or not at all, and never replaces anything. */
import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { isErrno } from '../sys/failure.ts'
import type { OnLeftover } from '../workspace/leftovers.ts'
import { createNewFileAt, type NewFileAt } from '../workspace/new-file-at.ts'

export interface NewArchive extends Pick<NewFileAt, 'write' | 'discard'> {
  /** Gives the archive its name, durably. @throws ARCHIVE_EXISTS, SYSCALL_FAILED */
  publish(): void
}

/** @throws ARCHIVE_EXISTS, SYSCALL_FAILED */
export function createNewArchive(operatorPath: string, onLeftover?: OnLeftover): NewArchive {
  const path = resolve(operatorPath)
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw exists(path)
  const file = createNewFileAt(path, onLeftover)
  return {
    write: (bytes) => file.write(bytes),
    discard: () => file.discard(),
    publish() {
      try {
        file.publish({ replaces: false })
      } catch (error) {
        throw isErrno(error, 'EEXIST') ? exists(path) : error
      }
    }
  }
}

function exists(path: string): OciUnpackError {
  return new OciUnpackError(
    'ARCHIVE_EXISTS',
    'Something already exists at the path of the archive.',
    {
      facts: { path },
      hint: 'An existing archive is never changed or overwritten. Remove it, or give another path.'
    }
  )
}
