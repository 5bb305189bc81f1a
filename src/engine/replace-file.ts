/** A file of the operator gets new content, whole or not at all. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a regular file, which keeps its mode, or makes a new one. Anything else, such as /dev/stdout, is written to.
 * @throws what node:fs throws
 */
export function replaceFile(path: string, content: string): void {
  const old = lstatSync(path, { throwIfNoEntry: false })
  if (old !== undefined && !old.isFile()) {
    writeFileSync(path, content)
    return
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    writeNew(temporary, content, old)
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

function writeNew(path: string, content: string, like: Stats | undefined): void {
  const fd = openSync(path, 'wx', 0o666)
  try {
    writeFileSync(fd, content)
    if (like !== undefined) {
      if (process.geteuid?.() === 0) fchownSync(fd, like.uid, like.gid)
      fchmodSync(fd, like.mode & 0o7777)
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
