/** Replaces the content of a file of the operator, entirely or not at all. */
import { lstatSync, writeFileSync } from 'node:fs'
import { isUnknownOwner } from '../../sys/user-namespace.ts'
import { createNewFileAt } from '../../workspace/new-file-at.ts'

/**
 * Replaces a regular file, which keeps its mode, or makes a new one. Anything else, such as /dev/stdout, is written to.
 * @param path absolute
 * @throws SYSCALL_FAILED, and what node:fs throws
 */
export function replaceFile(path: string, content: string): void {
  const old = lstatSync(path, { throwIfNoEntry: false })
  if (old !== undefined && !old.isFile()) {
    writeFileSync(path, content)
    return
  }
  const file = createNewFileAt(path)
  try {
    file.write(Buffer.from(content))
    file.publish({
      replaces: true,
      ...(old === undefined ? {} : { mode: old.mode & 0o7777 }),
      owner: process.geteuid!() === 0 && !isUnknownOwner(old?.uid) ? old : undefined
    })
  } finally {
    file.discard()
  }
}
