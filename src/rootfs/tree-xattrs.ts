/** Reading the extended attributes of a tree. */
import { display } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { Xattr } from '../tar/entry.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import type { ScannedObject } from './scanned-object.ts'
import { readXattrs } from './xattrs.ts'

const NONE: readonly Xattr[] = []

/** Reads extended attributes below a root. The caller must call `release`. */
export class XattrReader {
  private readonly cursor: DirectoryCursor

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number) {
    this.cursor = new DirectoryCursor(root)
  }

  release(): void {
    this.cursor.release()
  }

  /** The attributes that a tree manifest lists: those of files and directories. @throws SYSCALL_FAILED */
  listed({ path, type }: ScannedObject): readonly Xattr[] {
    if (type !== 'file' && type !== 'directory') return NONE
    try {
      return readXattrs(this.cursor.at(parentPath(path)), baseName(path))
    } catch (error) {
      throw withFacts(error, { entry: display(path) })
    }
  }
}
