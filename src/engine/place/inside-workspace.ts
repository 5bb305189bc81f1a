/** The workspace for a destination that exists. */
import { display, type ByteString } from '../../bytes.ts'
import { implicitDirectory } from '../../plan/implicit-directory.ts'
import { joinPath } from '../../plan/names.ts'
import type { Operation } from '../../plan/operations.ts'
import { applyWithJournal, undo } from '../../rootfs/journal.ts'
import { orTryAgain } from '../../sys/try-again.ts'
import { PRIVATE_MODE, type PrivateDirectory } from '../../workspace/private-directory.ts'
import { keepTimes } from './keep-times.ts'
import { makeWorkspace, taken } from './make-workspace.ts'
import type { ClosableWorkspace, ExistingDestination } from './workspace.ts'

/** Publishing only moves finished objects. */
const NO_METADATA = {
  implicit: implicitDirectory({ kind: 'exact', uidMap: [], gidMap: [] }),
  onLostXattr: () => undefined
}

/** A workspace in a destination that exists. It leaves no trace in the times of that directory. */
export class InsideWorkspace implements ClosableWorkspace {
  readonly destination: string
  readonly existing: ExistingDestination
  private readonly directory: PrivateDirectory

  constructor(fd: number, destination: string) {
    this.destination = destination
    this.directory = makeInside(fd)
    this.existing = { fd, workspaceName: this.directory.name }
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
    const { fd, workspaceName } = this.existing
    const operations: Operation[] = [
      { op: 'set-mode', path: '', mode: PRIVATE_MODE },
      ...names.map((name) => ({
        op: 'move' as const,
        from: joinPath(workspaceName, name),
        to: name
      }))
    ]
    try {
      applyWithJournal({ fd: this.fd, path: workspaceName }, fd, operations, NO_METADATA)
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
    const { fd } = this.existing
    try {
      orTryAgain(() => undo(this.fd, fd))
    } catch (error) {
      this.directory.release()
      throw error
    }
    try {
      keepTimes(fd, () => this.directory.remove())
    } catch {
      this.directory.remove() // removing it matters more than the times
    }
  }
}

/** Nothing is left if the times of the directory cannot be put back. */
function makeInside(fd: number): PrivateDirectory {
  let made: PrivateDirectory | undefined
  try {
    return keepTimes(fd, () => (made = makeWorkspace(fd, '')))
  } catch (error) {
    made?.remove()
    throw error
  }
}
