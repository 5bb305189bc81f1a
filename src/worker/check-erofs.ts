/** The task of checking one EROFS image from its first byte to its last. */
import type { ByteString } from '../bytes.ts'
import { hashFile } from '../rootfs/hash-file.ts'
import { openImage } from '../rootfs/open-image.ts'
import { openErofs, walkErofs, type ErofsFacts } from '../rootfs/read-erofs.ts'
import { close } from '../sys/files.ts'
import type { Control } from './control.ts'

export interface CheckErofsTask {
  type: 'check-erofs'
  /** Descriptor of the directory that the files are in; all threads of the process share it. */
  directory: number
  name: ByteString
  /** The other files that the image needs, in its order. */
  devices: readonly ByteString[]
}

export interface CheckedErofs extends ErofsFacts {
  /** SHA-256 of the file, in hex. */
  sha256: string
}

/** @throws EROFS_INVALID, FILE_CHANGED, SYSCALL_FAILED, ABORTED */
export function checkErofs(task: CheckErofsTask, control: Control): CheckedErofs {
  const { directory, name, devices } = task
  const check = (): void => control.throwIfAborted()
  const files: number[] = []
  try {
    for (const file of [name, ...devices]) files.push(openImage(directory, file))
    const { image, facts } = openErofs(files)
    walkErofs(image, check)
    return { ...facts, sha256: hashFile(directory, name, check) }
  } finally {
    for (const file of files) close(file)
  }
}
