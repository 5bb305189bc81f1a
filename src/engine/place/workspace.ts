/**
 * The private directory that an operation works in, on the file system of what it makes. The result is published as a
 * whole or not at all. A failure removes the workspace and nothing else.
 */
import type { ByteString } from '../../bytes.ts'
import type { Ledger } from '../../sys/ledger.ts'

export interface Workspace {
  /** Open handle of the directory, and a path that leads through it. */
  readonly fd: number
  readonly path: string
  /** Where the result goes: absolute. */
  readonly destination: string
  /** The destination, if it existed before: it is added to, never replaced. */
  readonly existing: ExistingDestination | undefined
  /**
   * Publishes the result: the workspace itself becomes the destination or, if that exists, `names` are moved into it
   * one by one, so the name that makes it complete should be the last.
   */
  publish(names: readonly ByteString[]): void
  /** Makes the directory `name` in the workspace the destination, which must not exist. */
  publishOnly(name: ByteString): void
}

export interface ExistingDestination {
  readonly fd: number
  /** The workspace's name in it. */
  readonly workspaceName: ByteString
  /** Notes the modes of what has to be opened up; undefined if modes do not keep us out. */
  readonly ledger: Ledger | undefined
}

/** A workspace as its maker holds it. */
export interface ClosableWorkspace extends Workspace {
  remove(): void
}
