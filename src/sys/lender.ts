/**
 * Opens what a user's own modes keep the user out of. A directory below the root that belongs to us, on the same mount,
 * is opened up (u+rwx) until the ledger's modes are put back, because several threads may work in it. A file is
 * opened up only for as long as it takes to open it. Everything goes by handles: a link in the way, another owner, a
 * mount, or a directory above the root stays as it is.
 *
 * Opening up changes a mode and the ctime, nothing else. So the status of a directory must be recorded, through its
 * parent, before the directory itself is opened.
 */
import type { ByteString } from '../bytes.ts'
import { openBeneath } from './beneath.ts'
import { isErrno } from './failure.ts'
import { close, openDirectory, openPlace } from './files.ts'
import { keepsUsOut, TO_CHANGE, TO_READ, TO_READ_FILE } from './kept-out.ts'
import { mountKey, noteLent, type Ledger } from './ledger.ts'
import { setModeOfPlace } from './metadata.ts'
import { status, type Status } from './status.ts'

export class Lender {
  private readonly root: number
  private readonly ledger: Ledger

  /** @param root descriptor of the directory that paths are relative to, which is at `ledger.at` */
  constructor(root: number, ledger: Ledger) {
    this.root = root
    this.ledger = ledger
  }

  /** A new descriptor of the directory at `path`, in which names can be looked up. @throws SyscallError */
  openDirectory(path: ByteString): number {
    const fd = this.open(path)
    try {
      const found = status(fd, '')
      if (keepsUsOut(found, TO_READ)) this.lend(fd, path, found, TO_CHANGE)
      return fd
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /** Opens up the directory at `path`, `''` for the root itself, if its mode keeps us from `need`. @throws SyscallError */
  openUp(path: ByteString, need: number): void {
    const place = path === '' ? this.root : this.openPlace(path)
    try {
      this.lendDirectory(place, path, need)
    } finally {
      if (path !== '') close(place)
    }
  }

  /**
   * Runs `act`, which reads the file or the directory at `path`, whose name in `directory` is `name`. If its mode keeps
   * us from that, it is opened up meanwhile.
   * @param check is given its status before that
   */
  whileReadable<T>(
    { directory, name, path }: { directory: number; name: ByteString; path: ByteString },
    act: () => T,
    check: (found: Status) => void = () => undefined
  ): T {
    const place = openPlace(directory, name === '' ? '.' : name)
    try {
      const found = status(place, '')
      if (!isUnreadable(found)) return act()
      check(found)
      const add = found.type === 'directory' ? TO_CHANGE : TO_READ_FILE
      if (!this.lend(place, path, found, add)) return act()
      try {
        return act()
      } finally {
        if (status(place, '').mode === (found.mode | add)) setModeOfPlace(place, found.mode)
      }
    } finally {
      close(place)
    }
  }

  private open(path: ByteString): number {
    try {
      return openBeneath(this.root, path)
    } catch (error) {
      if (!isErrno(error, 'EACCES')) throw error
    }
    this.openUp('', TO_READ)
    if (path !== '') this.openUpAlong(path)
    return openBeneath(this.root, path)
  }

  /** Every directory on the way whose mode keeps us out. */
  private openUpAlong(path: ByteString): void {
    close(this.openPlace(path, (place, at) => this.lendDirectory(place, at, TO_READ)))
  }

  /** By one openat(2) for each component. */
  private openPlace(
    path: ByteString,
    onEach: (place: number, at: ByteString) => void = () => undefined
  ): number {
    let place = openPlace(this.root, '.')
    let at = 0
    while (at < path.length) {
      const end = path.indexOf('/', at)
      const next = end < 0 ? path.length : end
      const above = place
      try {
        place = openPlace(above, path.slice(at, next))
      } finally {
        close(above)
      }
      onEach(place, path.slice(0, next))
      at = next + 1
    }
    return place
  }

  private lendDirectory(place: number, path: ByteString, need: number): void {
    const found = status(place, '')
    if (found.type === 'directory' && keepsUsOut(found, need))
      this.lend(place, path, found, TO_CHANGE)
  }

  /** Returns whether it did. */
  private lend(place: number, path: ByteString, found: Status, add: number): boolean {
    const { at, tree, mount } = this.ledger
    const noted = at === '' || path === '' ? at + path : `${at}/${path}`
    if (!isIn(tree, noted) || mountKey(place) !== mount) return false
    const { inode, mode } = found
    const lent = mode | add
    noteLent(this.ledger, { path: noted, inode: String(inode), mode, lent })
    setModeOfPlace(place, lent)
    return true
  }
}

function isIn(tree: ByteString, path: ByteString): boolean {
  return tree === '' || path === tree || path.startsWith(`${tree}/`)
}

/** A descriptor of the root of a ledger's tree. @throws SyscallError */
export function openTree(ledger: Ledger): number {
  const { base, at } = ledger
  const lender = new Lender(base, { ...ledger, at: '' })
  if (at !== '') return lender.openDirectory(at)
  lender.openUp('', TO_READ)
  return openDirectory(base, '.')
}

/** Whether the mode of a file or directory of ours keeps us from reading it. */
export function isUnreadable(found: Status): boolean {
  if (found.type === 'file') return keepsUsOut(found, TO_READ_FILE)
  return found.type === 'directory' && keepsUsOut(found, TO_READ)
}
