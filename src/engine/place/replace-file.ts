/** Files that appear under a name of the operator, entirely or not at all. */
import { lstatSync, writeFileSync } from 'node:fs'
import { isUnknownOwner } from '../../sys/user-namespace.ts'
import type { FinalName } from '../../workspace/new-file.ts'
import { createNewFileAt } from '../../workspace/new-file-at.ts'
import type { OnLeftover } from '../../workspace/leftovers.ts'

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
  publish(path, ({ write }) => write(Buffer.from(content)), {
    ...(old === undefined ? {} : { mode: old.mode & 0o7777 }),
    owner: process.geteuid!() === 0 && !isUnknownOwner(old?.uid) ? old : undefined
  })
}

/**
 * Makes a new file, which replaces whatever file has its name. @param write gets a descriptor of the empty file
 * @throws SYSCALL_FAILED, and what `write` throws
 */
export function publishFile(
  path: string,
  write: (fd: number) => void,
  onLeftover: OnLeftover
): void {
  publish(path, ({ fd }) => write(fd), {}, onLeftover)
}

function publish(
  path: string,
  fill: (file: ReturnType<typeof createNewFileAt>) => void,
  how: Pick<FinalName, 'mode' | 'owner'>,
  onLeftover?: OnLeftover
): void {
  const file = createNewFileAt(path, onLeftover)
  try {
    fill(file)
    file.publish({ replaces: true, ...how })
  } finally {
    file.discard()
  }
}
