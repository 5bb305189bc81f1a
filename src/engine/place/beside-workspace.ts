/** The workspace for a destination that does not exist. */
import { basename } from 'node:path'
import { fromText, type ByteString } from '../../bytes.ts'
import { moveNew } from '../../rootfs/own-directory.ts'
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
    this.directory = makeWorkspace(parent, basename(destination))
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
