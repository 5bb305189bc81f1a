/** The task of making the hash tree of one file, for dm-verity. */
import type { ByteString } from '../bytes.ts'
import { hashFile } from '../rootfs/hash-file.ts'
import { writeHashTree, type HashTree } from '../rootfs/write-hash-tree.ts'
import type { Control } from './control.ts'

export interface HashTreeTask {
  type: 'hash-tree'
  /** Descriptor of the directory of both files; all threads of the process share it. */
  directory: number
  name: ByteString
  /** Of the new file. */
  tree: ByteString
  /** Of the tree, 16 bytes. */
  uuid: Uint8Array
}

export interface MadeHashTree extends HashTree {
  /** SHA-256 of the tree's file, in hex. */
  sha256: string
}

/** @throws FILE_CHANGED, SYSCALL_FAILED, ABORTED */
export function hashTree(task: HashTreeTask, control: Control): MadeHashTree {
  const { directory, tree } = task
  const check = (): void => control.throwIfAborted()
  const made = writeHashTree(directory, task, check)
  return { ...made, sha256: hashFile(directory, tree, check) }
}
