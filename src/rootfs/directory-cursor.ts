/**
 * The directory being worked in. Entries come directory by directory, so one handle serves many calls, each of which
 * looks up a single name. Opening it never follows a link.
 */
import type { ByteString } from '../bytes.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close } from '../sys/files.ts'
import type { Ledger } from '../sys/ledger.ts'
import { Lender } from '../sys/lender.ts'

export class DirectoryCursor {
  /** Undefined if modes do not keep us out, or may not be changed. */
  readonly lender: Lender | undefined
  private readonly root: number
  private path: ByteString | undefined
  private fd = -1

  /**
   * @param root descriptor of the directory that all paths are relative to; the caller keeps it
   * @param ledger notes the modes of directories that have to be opened up to enter them
   */
  constructor(root: number, ledger?: Ledger) {
    this.root = root
    this.lender = ledger === undefined ? undefined : new Lender(root, ledger)
  }

  /** A descriptor of the directory at `path`, valid until the next call. @throws SyscallError */
  at(path: ByteString): number {
    if (path === this.path) return this.fd
    this.release()
    this.fd = this.lender?.openDirectory(path) ?? openBeneath(this.root, path)
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
