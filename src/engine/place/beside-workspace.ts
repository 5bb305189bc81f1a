/** The workspace for a destination that does not exist. */
import { basename } from 'node:path'
import { fromText, type ByteString } from '../../bytes.ts'
import { withHint, withPath } from '../../errors.ts'
import { moveNew } from '../../rootfs/own-directory.ts'
import { isErrno } from '../../sys/failure.ts'
import type { PrivateDirectory } from '../../workspace/private-directory.ts'
import { makeWorkspace, taken } from './make-workspace.ts'
import type { ClosableWorkspace } from './workspace.ts'

/** A workspace beside a destination that does not exist, which it becomes. */
export class BesideWorkspace implements ClosableWorkspace {
  readonly destination: string
  readonly existing = undefined
  private readonly parent: number
  private readonly directory: PrivateDirectory

  constructor(parent: number, destination: string) {
    this.destination = destination
    this.parent = parent
    this.directory = makeHere(parent, destination)
  }

  get fd(): number {
    return this.directory.fd
  }

  get path(): string {
    return this.directory.path
  }

  publish(): void {
    this.rename(this.parent, this.directory.name)
  }

  publishOnly(name: ByteString): void {
    this.rename(this.fd, name)
  }

  remove(): void {
    this.directory.remove()
  }

  private rename(directory: number, name: ByteString): void {
    try {
      moveNew(directory, name, this.parent, fromText(basename(this.destination)))
    } catch (error) {
      throw taken(error, this.destination)
    }
  }
}

/** Its own name would tell nobody what is meant. */
function makeHere(parent: number, destination: string): PrivateDirectory {
  try {
    return makeWorkspace(parent, basename(destination))
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error
    throw withHint(withPath(error, destination), 'Choose a directory in which you may make files.')
  }
}
