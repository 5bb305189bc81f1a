/**
 * The directory being worked in. Entries come directory by directory, so one handle serves many calls, each of which
 * looks up a single name. Opening it never follows a link.
 */
import type { ByteString } from '../bytes.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close } from '../sys/files.ts'

export class DirectoryCursor {
  private readonly root: number
  private path: ByteString | undefined
  private fd = -1

  /** @param root descriptor of the directory that all paths are relative to; the caller keeps it */
  constructor(root: number) {
    this.root = root
  }

  /** A descriptor of the directory at `path`, valid until the next call. @throws SyscallError */
  at(path: ByteString): number {
    if (path === this.path) return this.fd
    this.release()
    this.fd = openBeneath(this.root, path)
    this.path = path
    return this.fd
  }

  /** Must be called after `moved` was renamed, because a handle at or below it is now at another path. */
  forgetBelow(moved: ByteString): void {
    if (this.path === moved || this.path?.startsWith(`${moved}/`) === true) this.release()
  }

  release(): void {
    if (this.path === undefined) return
    this.path = undefined
    close(this.fd)
  }
}
