/** Making a directory and its missing parents. */
import { openOrMakeDirectory } from './operator-directory.ts'

/** Makes what is missing of an absolute path, less the umask; links in it are followed. @throws SyscallError */
export function makeDirectories(path: string, mode?: number): void {
  openOrMakeDirectory(path, mode).close()
}
