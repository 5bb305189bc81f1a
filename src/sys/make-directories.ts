/** Makes a directory and its missing parents. */
import { openOrMakeDirectory } from './operator-directory.ts'

/**
 * Makes the missing directories of an absolute path, with the umask applied; links are followed. @throws SyscallError
 */
export function makeDirectories(path: string, mode?: number): void {
  openOrMakeDirectory(path, mode).close()
}
