/** The task of hashing files when only their content can show whether they changed. */
import type { ByteString } from '../bytes.ts'
import { FileHasher } from '../rootfs/hash-file.ts'
import type { Ledger } from '../sys/ledger.ts'
import type { Control } from './control.ts'

export interface HashFilesTask {
  type: 'hash-files'
  /** Descriptor of the directory that the paths are relative to; all threads of the process share it. */
  root: number
  paths: readonly ByteString[]
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
}

/** SHA-256 (hex) of each file, in order. */
export type FileDigests = readonly string[]

/** @throws FILE_CHANGED, SYSCALL_FAILED, ABORTED */
export function hashFiles(task: HashFilesTask, control: Control): FileDigests {
  const hasher = new FileHasher(task.root, task.ledger)
  try {
    return hasher.hashAll(task.paths, () => control.throwIfAborted())
  } finally {
    hasher.release()
  }
}
