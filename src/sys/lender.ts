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
import { mountKey, noteLent, type Ledger, type LentMode } from './ledger.ts'
import { setModeOfPlace } from './metadata.ts'
import { status, type Status } from './status.ts'

/** So many files are open at once. */
const AT_ONCE = 128

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

  /** Opens up the root itself, if its mode keeps us from reading it. */
  openUpRoot(): void {
    this.lendDirectory(this.root, '')
  }

  /**
   * Opens up directories so that they, and what is in them, can be moved. They can all be reached already, so that many
   * share one flush of the ledger.
   */
  openUpAll(paths: readonly ByteString[]): void {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const places: { place: number; noted: LentMode }[] = []
      try {
        for (const path of paths.slice(at, at + AT_ONCE)) {
          const place = this.openPlace(path)
          const noted = this.lendable(place, path, status(place, ''), TO_CHANGE)
          if (noted === undefined) close(place)
          else places.push({ place, noted })
        }
        if (places.length > 0) noteLent(this.ledger, ...places.map(({ noted }) => noted))
        for (const { place, noted } of places) setModeOfPlace(place, noted.lent)
      } finally {
        for (const { place } of places) close(place)
      }
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
    this.openUpRoot()
    if (path !== '') this.openUpAlong(path)
    return openBeneath(this.root, path)
  }

  /** Every directory on the way whose mode keeps us out. */
  private openUpAlong(path: ByteString): void {
    close(this.openPlace(path, (place, at) => this.lendDirectory(place, at)))
  }

  /** By one openat(2) for each component. */
  private openPlace(
    path: ByteString,
    onEach: (place: number, at: ByteString) => void = () => undefined
  ): number {
    let place = openPlace(this.root, '.')
    try {
      for (let at = 0; at < path.length;) {
        const end = path.indexOf('/', at)
        const next = end < 0 ? path.length : end
        const above = place
        place = openPlace(above, path.slice(at, next))
        close(above)
        onEach(place, path.slice(0, next))
        at = next + 1
      }
      return place
    } catch (error) {
      close(place)
      throw error
    }
  }

  private lendDirectory(place: number, path: ByteString): void {
    const found = status(place, '')
    if (found.type === 'directory' && keepsUsOut(found, TO_READ))
      this.lend(place, path, found, TO_CHANGE)
  }

  /** Returns whether it did. */
  private lend(place: number, path: ByteString, found: Status, add: number): boolean {
    const noted = this.lendable(place, path, found, add)
    if (noted === undefined) return false
    noteLent(this.ledger, noted)
    setModeOfPlace(place, noted.lent)
    return true
  }

  /** What to note; undefined if it is not the tree's. */
  private lendable(
    place: number,
    path: ByteString,
    { inode, mode }: Status,
    add: number
  ): LentMode | undefined {
    const { at, tree, mount } = this.ledger
    const full = at === '' || path === '' ? at + path : `${at}/${path}`
    if (!isIn(tree, full) || mountKey(place) !== mount) return undefined
    return { path: full, inode: String(inode), mode, lent: mode | add }
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
  lender.openUpRoot()
  return openDirectory(base, '.')
}

/** Whether the mode of a file or directory of ours keeps us from reading it. */
export function isUnreadable(found: Status): boolean {
  if (found.type === 'file') return keepsUsOut(found, TO_READ_FILE)
  return found.type === 'directory' && keepsUsOut(found, TO_READ)
}
