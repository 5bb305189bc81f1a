/** Whether a path leads to a directory; links are followed. Loads no native code. */
import { statSync } from 'node:fs'
import { fromNode } from './failure.ts'

/** @throws SyscallError for failures other than a missing path */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch (error) {
    throw fromNode(error)
  }
}
