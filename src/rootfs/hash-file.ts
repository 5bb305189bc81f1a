import { createHash } from 'node:crypto'
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import { status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { BODY_CHUNK, readBody } from './read-body.ts'

/** Hashes files below a root. Whoever makes one calls `release`. */
export class FileHasher {
  private readonly cursor: DirectoryCursor
  private readonly buffer = Buffer.allocUnsafeSlow(BODY_CHUNK)

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number) {
    this.cursor = new DirectoryCursor(root)
  }

  release(): void {
    this.cursor.release()
  }

  /** SHA-256 (hex) of a regular file. `check` may throw between pieces. @throws FILE_CHANGED, SYSCALL_FAILED */
  hash(path: ByteString, check: () => void): string {
    try {
      const directory = this.cursor.at(parentPath(path))
      const name = baseName(path)
      const hash = createHash('sha256')
      const found = status(directory, name)
      for (const piece of readBody(directory, name, found, this.buffer)) {
        check()
        hash.update(piece)
      }
      return hash.digest('hex')
    } catch (error) {
      throw withFacts(error, { entry: display(path) })
    }
  }
}
