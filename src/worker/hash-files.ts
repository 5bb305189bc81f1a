/** The task of hashing files that nothing but their content can tell from what they were. */
import { createHash } from 'node:crypto'
import { display, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import { DirectoryCursor } from '../rootfs/directory-cursor.ts'
import { BODY_CHUNK, readBody } from '../rootfs/read-body.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { status } from '../sys/status.ts'
import type { Control } from './control.ts'

export interface HashFilesTask {
  type: 'hash-files'
  /** Absolute path of the directory that the names are relative to. */
  root: string
  paths: readonly ByteString[]
}

/** SHA-256 (hex) of each file, in order. @throws FILE_CHANGED, SYSCALL_FAILED, ABORTED */
export function hashFiles(task: HashFilesTask, control: Control): string[] {
  const root = openOperatorDirectory(fromText(task.root))
  const cursor = new DirectoryCursor(root)
  const buffer = Buffer.allocUnsafeSlow(BODY_CHUNK)
  try {
    return task.paths.map((path) => {
      if (control.aborted()) throw new OciUnpackError('ABORTED', 'The operation was stopped.')
      return hashFile(cursor, path, buffer)
    })
  } finally {
    cursor.release()
    close(root)
  }
}

function hashFile(cursor: DirectoryCursor, path: ByteString, buffer: Buffer): string {
  try {
    const directory = cursor.at(parentPath(path))
    const name = baseName(path)
    const hash = createHash('sha256')
    for (const piece of readBody(directory, name, status(directory, name), buffer))
      hash.update(piece)
    return hash.digest('hex')
  } catch (error) {
    throw withFacts(error, { entry: display(path) })
  }
}
