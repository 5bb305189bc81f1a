/** The workspace for a destination that exists. */
import { display, type ByteString } from '../../bytes.ts'
import { implicitDirectory } from '../../plan/implicit-directory.ts'
import { joinPath } from '../../plan/names.ts'
import type { Operation } from '../../plan/operations.ts'
import { applyWithJournal, undo } from '../../rootfs/journal.ts'
import { createLedger, noteLent, type Ledger } from '../../sys/ledger.ts'
import { closeLedger } from '../../sys/put-modes-back.ts'
import { close } from '../../sys/files.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { privileges } from '../../sys/privileges.ts'
import { status } from '../../sys/status.ts'
import { orTryAgain } from '../../sys/try-again.ts'
import type { PrivateDirectory } from '../../workspace/private-directory.ts'
import { keepTimes } from './keep-times.ts'
import { closeAgain, openUp, whileOpenedUp } from './open-up.ts'
import { makeWorkspace, taken } from './make-workspace.ts'
import type { ClosableWorkspace, ExistingDestination } from './workspace.ts'

/** Publishing only moves finished objects. */
const NO_METADATA = {
  implicit: implicitDirectory({ kind: 'exact', uidMap: [], gidMap: [] }),
  onLostXattr: () => undefined
}

/**
 * A workspace in a destination that exists. It leaves no trace in the times of that directory, nor in modes that had to be
 * changed meanwhile.
 */
export class InsideWorkspace implements ClosableWorkspace {
  readonly destination: string
  readonly existing: ExistingDestination
  private readonly directory: PrivateDirectory

  /** @param tree path in the destination of the tree that is worked on; `''` if the destination is that tree */
  constructor(fd: number, destination: string, tree: ByteString = '') {
    this.destination = destination
    const { directory, ledger } = makeInside(fd, tree)
    this.directory = directory
    this.existing = { fd, workspaceName: directory.name, ledger }
  }

  get fd(): number {
    return this.directory.fd
  }

  get path(): string {
    return this.directory.path
  }

  /**
   * The destination is closed to others before anything is in it, as in umoci: this keeps set-user-ID programs and
   * devices of an untrusted image out of other users' reach.
   */
  publish(names: readonly ByteString[]): void {
    const { fd, workspaceName, ledger } = this.existing
    const operations: Operation[] = [
      { op: 'set-mode', path: '', mode: PRIVATE_MODE },
      ...names.map((name) => ({
        op: 'move' as const,
        from: joinPath(workspaceName, name),
        to: name
      }))
    ]
    try {
      applyWithJournal({ fd: this.fd, path: workspaceName }, fd, operations, {
        ...NO_METADATA,
        ledger
      })
    } catch (error) {
      throw taken(error, this.destination)
    }
  }

  publishOnly(name: ByteString): void {
    throw new Error(`[internal] ${display(name)} cannot replace a directory that is there`)
  }

  /**
   * Tries again to undo what could not be undone after a failure; otherwise the workspace and its content stay for the
   * next run.
   */
  remove(): void {
    const { fd, ledger } = this.existing
    try {
      orTryAgain(() => undo(this.fd, fd))
      if (ledger !== undefined) closeLedger(ledger)
    } catch (error) {
      this.directory.release()
      throw error
    }
    whileOpenedUp(fd, () => {
      try {
        keepTimes(fd, () => this.directory.remove())
      } catch {
        this.directory.remove() // removing it matters more than the times
      }
    })
  }
}

interface Inside {
  directory: PrivateDirectory
  ledger: Ledger | undefined
}

/** Nothing is left if the times of the directory cannot be put back. */
function makeInside(fd: number, tree: ByteString): Inside {
  let directory: PrivateDirectory | undefined
  const before = tree === '' ? openUp(fd) : undefined
  try {
    directory = keepTimes(fd, () => (directory = makeWorkspace(fd, '')))
    return { directory, ledger: ledgerIn(directory, fd, tree, before) }
  } catch (error) {
    const made = directory
    if (made !== undefined) keepTimes(fd, () => made.remove())
    closeAgain(fd, before)
    throw error
  }
}

/** @param before mode of the destination, if that was changed */
function ledgerIn(
  workspace: PrivateDirectory,
  fd: number,
  tree: ByteString,
  before: number | undefined
): Ledger | undefined {
  if (privileges().overridesModes) return undefined
  const ledger = createLedger(workspace.fd, fd, tree)
  if (before === undefined) return ledger
  try {
    const { inode, mode } = status(fd, '')
    noteLent(ledger, { path: '', inode: String(inode), mode: before, lent: mode })
    return ledger
  } catch (error) {
    close(ledger.file)
    throw error
  }
}
