import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt } from './file.ts'
import type { Workspace } from './workspace.ts'

/** A file that appears under its final name whole or not at all. */
export interface NewFile {
  /** Open for reading and writing. */
  readonly fd: number
  /** Where it is until it is published. */
  readonly path: string
  /** Appends the bytes. Throws SYSCALL_FAILED, for instance on a full disk. */
  write(bytes: Uint8Array): void
  /**
   * Flushes the file, gives it its name (replacing what has it) and flushes the directory: after that it survives
   * a power cut. Mode 0666 less the umask; made by root it belongs to the owner of the layout, as umoci has it.
   */
  publish(path: string): void
  /** Removes the file unless it is published. May be called again, also after `publish`. */
  discard(): void
}

let count = 0

export function createNewFile({ path, layoutPath }: Workspace): NewFile {
  return createFileAt(join(path, `${process.pid}-${count++}`), layoutPath)
}

/** A new file at a path of its own; made by root it belongs to the owner of `ownedLike`, if that is given. */
export function createFileAt(path: string, ownedLike?: string): NewFile {
  const fd = attempt('open', path, () => openSync(path, 'wx+', 0o666))
  let open = true
  const close = () => {
    open = false
    closeSync(fd)
  }
  return {
    fd,
    path,
    write: (bytes) => attempt('write', path, () => writeAll(fd, bytes)),
    publish(final) {
      attempt('fchown', path, () => giveToOwner(fd, ownedLike))
      attempt('fsync', path, () => fsyncSync(fd))
      close()
      attempt('rename', final, () => renameSync(path, final))
      flushDirectory(dirname(final))
    },
    discard() {
      if (open) close()
      rmSync(path, { force: true })
    }
  }
}

/** What root makes in a user's layout must stay the user's. */
function giveToOwner(fd: number, layoutPath: string | undefined): void {
  if (layoutPath === undefined || process.geteuid?.() !== 0) return
  const { uid, gid } = statSync(layoutPath)
  fchownSync(fd, uid, gid)
}

/** Makes a rename or creation in the directory durable. */
export function flushDirectory(path: string): void {
  attempt('fsync', path, () => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done)
  }
}
