/** Small files that the user or the administrator wrote: read without blocking, and never more than a limit. */
import { closeSync } from 'node:fs'
import { openRegularFile, type RegularFile } from '../sys/open-regular.ts'
import { readRest } from '../sys/read.ts'

/** Why a file was not read. `absent`: there is none, or not for this user. */
export interface Unread {
  readonly isAbsent: boolean
  readonly reason: string
}

const LIMIT_BYTES = 1024 * 1024

/** The content of a regular file. Links are followed. @param limit bytes */
export function readSettingsFile(path: string, limit: number = LIMIT_BYTES): Buffer | Unread {
  const file = open(path)
  if ('reason' in file) return file
  try {
    const bytes = file.size > limit ? undefined : readRest(file.fd)
    if (bytes !== undefined && bytes.length <= limit) return bytes
    return { isAbsent: false, reason: `it is longer than ${limit} bytes` }
  } catch (error) {
    return unread(error)
  } finally {
    closeSync(file.fd)
  }
}

function open(path: string): RegularFile | Unread {
  try {
    return (
      openRegularFile(path, 'followed') ?? { isAbsent: true, reason: 'it is not a regular file' }
    )
  } catch (error) {
    return unread(error)
  }
}

const ABSENT: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'it does not exist'],
  ['ELOOP', 'its symbolic links form a loop'],
  ['EACCES', 'this user may not read it'],
  ['EPERM', 'this user may not read it'],
  ['ENXIO', 'it is not a regular file']
])

function unread(error: unknown): Unread {
  const { code = 'EIO' } = error as NodeJS.ErrnoException
  const reason = ABSENT.get(code)
  return { isAbsent: reason !== undefined, reason: reason ?? `reading it failed: ${code}` }
}
