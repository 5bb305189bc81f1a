/** Everything in a tree, parents before children, names in byte order. Never follows a link. */
import type { ByteString } from '../bytes.ts'
import { joinPath } from '../plan/names.ts'
import { listDirectory } from '../sys/directory.ts'
import type { Ledger } from '../sys/ledger.ts'
import { status, type Status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'

export interface Walked {
  /** Relative to the root; `''` for the root itself. */
  path: ByteString
  status: Status
  /** A directory handle and a name in it that lead to the object; valid until the walk continues. */
  directory: number
  name: ByteString
}

/**
 * @param skip paths to leave out, with everything below them
 * @param staysOut whether a directory is listed without its content
 */
export function* walk(
  root: number,
  skip: ReadonlySet<ByteString>,
  staysOut: (directory: Walked) => boolean = () => false,
  ledger?: Ledger
): Generator<Walked> {
  const cursor = new DirectoryCursor(root, ledger)
  try {
    yield { path: '', status: status(root, ''), directory: root, name: '' }
    yield* walkBelow(cursor, skip, staysOut)
  } finally {
    cursor.release()
  }
}

/** A stack instead of recursion, because nested generators pass every object through all levels above it. */
function* walkBelow(
  cursor: DirectoryCursor,
  skip: ReadonlySet<ByteString>,
  staysOut: (directory: Walked) => boolean
): Generator<Walked> {
  const waiting: ByteString[] = ['']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const directories: ByteString[] = []
    // Code units of byte strings are bytes, so the default order is theirs; and it is twice as fast.
    for (const name of listDirectory(cursor.at(path)).sort()) {
      const childPath = joinPath(path, name)
      if (skip.has(childPath)) continue
      const directory = cursor.at(path)
      const walked = { path: childPath, status: status(directory, name), directory, name }
      yield walked
      if (walked.status.type === 'directory' && !staysOut(walked)) directories.push(childPath)
    }
    waiting.push(...directories.reverse())
  }
}
