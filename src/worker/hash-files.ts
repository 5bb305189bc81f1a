/** The task of hashing files that nothing but their content can tell from what they were. */
import { fromText, type ByteString } from '../bytes.ts'
import { FileHasher } from '../rootfs/hash-file.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import type { Control } from './control.ts'

export interface HashFilesTask {
  type: 'hash-files'
  /** Absolute path of the directory that the paths are relative to. */
  root: string
  paths: readonly ByteString[]
}

/** SHA-256 (hex) of each file, in order. @throws FILE_CHANGED, SYSCALL_FAILED, ABORTED */
export function hashFiles(task: HashFilesTask, control: Control): string[] {
  const root = openOperatorDirectory(fromText(task.root))
  const hasher = new FileHasher(root)
  try {
    const check = (): void => control.throwIfAborted()
    check()
    return task.paths.map((path) => hasher.hash(path, check))
  } finally {
    hasher.release()
    close(root)
  }
}
