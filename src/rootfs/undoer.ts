/** Undoes the steps of a journal, one by one. */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { UndoStep } from '../plan/undo.ts'
import { isErrno } from '../sys/failure.ts'
import { setModeOf } from '../sys/metadata.ts'
import { removeEmptyDirectory, removeFile } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { inodeKey, status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import type { OpenJournal } from './journal-file.ts'
import { moveNew, nameIn, withOwnDirectory } from './own-directory.ts'
import { putBack, putBackTimes, type Remembered } from './remembered.ts'

export class Undoer {
  private readonly journal: OpenJournal
  private readonly source: DirectoryCursor
  private readonly destination: DirectoryCursor

  constructor(root: number, journal: OpenJournal) {
    this.journal = journal
    this.source = new DirectoryCursor(root)
    this.destination = new DirectoryCursor(root)
  }

  release(): void {
    this.source.release()
    this.destination.release()
  }

  /** The last operation that was begun may not have been done, and one that was undone may still be counted. */
  takeBack(step: UndoStep, isLast: boolean): void {
    switch (step.undo) {
      case 'nothing':
        return
      case 'move':
        if (!isLast || !this.isThere(step.to)) this.move(step.from, step.to)
        return
      case 'unlink':
        this.unlink(step.path, step.of)
        return
      case 'remove-directory':
        tolerate(['ENOENT', 'ENOTEMPTY'], () =>
          removeEmptyDirectory(this.parent(step.path), baseName(step.path))
        )
        return
      case 'make-private':
        tolerate(['ENOENT'], () => this.makePrivate(step.path))
        return
      case 'describe':
        this.putBackMetadata(step.path, this.journal.remembered.get(step.origin)!)
    }
  }

  restoreTimes(): void {
    for (const [path, before] of this.journal.remembered)
      if (before.type === 'directory') tolerate(GONE, () => this.setTimes(path, before))
  }

  private parent(path: ByteString): number {
    return this.destination.at(parentPath(path))
  }

  private move(from: ByteString, to: ByteString): void {
    if (!this.isThere(from)) return
    moveNew(this.source.at(parentPath(from)), baseName(from), this.parent(to), baseName(to))
    this.source.forgetBelow(from)
    this.destination.forgetBelow(from)
  }

  private isThere(path: ByteString): boolean {
    let found = false
    tolerate(GONE, () => {
      status(this.source.at(parentPath(path)), baseName(path))
      found = true
    })
    return found
  }

  /** A name that now leads to something else is not ours to remove. */
  private unlink(path: ByteString, of: ByteString): void {
    tolerate(GONE, () => {
      const original = status(this.source.at(parentPath(of)), baseName(of))
      const found = status(this.parent(path), baseName(path))
      if (inodeKey(found) === inodeKey(original)) removeFile(this.parent(path), baseName(path))
    })
  }

  private makePrivate(path: ByteString): void {
    withOwnDirectory(this.parent(path), nameIn(path), (fd) => setModeOf(fd, PRIVATE_MODE))
  }

  private putBackMetadata(path: ByteString, before: Remembered): void {
    tolerate(GONE, () => putBack(this.parent(path), nameIn(path), before))
  }

  private setTimes(path: ByteString, before: Remembered): void {
    putBackTimes(this.destination.at(path), before)
  }
}

/** What no longer exists was removed by another program. */
const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP']

export function tolerate(errnos: readonly string[], act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!isErrno(error, ...errnos)) throw error
  }
}
