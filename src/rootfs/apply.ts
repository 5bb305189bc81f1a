/** Carries out a plan's operations. It makes no decisions: each operation is one or two calls. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { Operation } from '../plan/operations.ts'
import type { WriteRules } from '../plan/policy/policies.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import { identity } from '../sys/identity.ts'
import { isErrno } from '../sys/failure.ts'
import { setModeOf, setTimes } from '../sys/metadata.ts'
import type { Ledger } from '../sys/ledger.ts'
import { makeDirectory, makeLink } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { removeTree } from '../sys/remove-tree.ts'
import { copyUp } from './copy-up.ts'
import {
  Birthright,
  writeDirectoryMetadata,
  rewriteDirectoryMetadata,
  rewriteLinkMetadata,
  type OnLostXattr
} from './write-metadata.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { makeWhiteout, markOpaque } from './layer-marks.ts'
import { moveNew, nameIn, withOwnDirectory } from './own-directory.ts'

export interface ApplyOptions {
  /** Metadata of a directory that no layer describes. */
  implicit: StagedEntry
  onLostXattr: OnLostXattr
  /** Default: all metadata is set, and what the kernel refuses is a failure. */
  write?: WriteRules
  /** Notes the modes of finished directories that have to be opened up. */
  ledger?: Ledger | undefined
  /** Called before each operation, with its number. */
  onBegin?: (index: number) => void
  /**
   * The trash, if nothing in it is needed again: a directory that cannot be moved there is removed. (overlayfs moves none that lower
   * layers have.)
   */
  discards?: ByteString
  /** Needed only for a layer in its own directory. */
  layered?: LayeredOptions
}

export interface LayeredOptions {
  form: WhiteoutForm
  /** Descriptors of the directories of lower layers that are copied from, by layer number. */
  lower: ReadonlyMap<number, number>
}

/** @param workspace descriptor of the directory that the plan's paths are relative to */
export function apply(
  workspace: number,
  operations: readonly Operation[],
  options: ApplyOptions
): void {
  const applier = new Applier(workspace, options)
  try {
    for (const [index, operation] of operations.entries()) {
      options.onBegin?.(index)
      applier.carryOut(operation)
    }
  } finally {
    applier.release()
  }
}

type WriteDirectoryMetadata = Extract<Operation, { op: 'write-directory-metadata' }>
type RewriteLinkMetadata = Extract<Operation, { op: 'rewrite-link-metadata' }>
type CopyUp = Extract<Operation, { op: 'copy-up' }>

class Applier {
  private readonly born: Birthright
  private readonly source: DirectoryCursor
  private readonly destination: DirectoryCursor
  private readonly options: ApplyOptions

  constructor(workspace: number, options: ApplyOptions) {
    this.source = new DirectoryCursor(workspace, options.ledger)
    this.destination = new DirectoryCursor(workspace, options.ledger)
    this.options = options
    this.born = new Birthright(identity(), options.write)
  }

  release(): void {
    this.source.release()
    this.destination.release()
  }

  carryOut(operation: Operation): void {
    try {
      this.perform(operation)
    } catch (error) {
      const path = 'to' in operation ? operation.to : operation.path
      throw withFacts(error, { entry: display(path) })
    }
  }

  private perform(operation: Operation): void {
    switch (operation.op) {
      case 'make':
        makeDirectory(this.parent(operation.path), baseName(operation.path), PRIVATE_MODE)
        return
      case 'move':
        this.move(operation.from, operation.to)
        return
      case 'link':
        makeLink(
          this.source.at(parentPath(operation.from)),
          baseName(operation.from),
          this.parent(operation.to),
          baseName(operation.to)
        )
        return
      case 'write-directory-metadata':
        this.writeDirectoryMetadata(operation)
        return
      case 'set-mode':
        setModeOf(this.destination.at(operation.path), operation.mode)
        return
      case 'rewrite-link-metadata':
        this.rewriteLinkMetadata(operation)
        return
      case 'restore-times':
        this.restoreTimes(operation.path, operation.entry)
        return
      case 'whiteout':
        makeWhiteout(this.parent(operation.path), baseName(operation.path), this.layered().form)
        return
      case 'opaque':
        markOpaque(this.destination.at(operation.path), this.layered().form)
        return
      case 'copy-up':
        this.copyUp(operation)
    }
  }

  private parent(path: ByteString): number {
    return this.destination.at(parentPath(path))
  }

  /** A handle follows its directory when that is renamed, so both cursors may then point to the wrong place. */
  private move(from: ByteString, to: ByteString): void {
    try {
      moveNew(this.source.at(parentPath(from)), baseName(from), this.parent(to), baseName(to))
    } catch (error) {
      if (parentPath(to) !== this.options.discards || !isErrno(error, 'EXDEV')) throw error
      removeTree(this.source.at(parentPath(from)), baseName(from))
    }
    this.source.forgetBelow(from)
    this.destination.forgetBelow(from)
  }

  private writeDirectoryMetadata({ path, entry, isNew }: WriteDirectoryMetadata): void {
    const metadata = entry ?? this.options.implicit
    const { onLostXattr } = this.options
    withOwnDirectory(this.parent(path), nameIn(path), (fd) => {
      if (isNew) writeDirectoryMetadata(fd, metadata, this.born, onLostXattr)
      else rewriteDirectoryMetadata(fd, metadata, this.born, onLostXattr)
    })
  }

  private rewriteLinkMetadata({ path, entry }: RewriteLinkMetadata): void {
    const { born } = this
    rewriteLinkMetadata(this.parent(path), baseName(path), entry, born, this.options.onLostXattr)
  }

  private restoreTimes(path: ByteString, entry: StagedEntry): void {
    setTimes(this.parent(path), nameIn(path), entry.atime ?? entry.mtime, entry.mtime)
  }

  private copyUp({ layer, from, to }: CopyUp): void {
    const { form, lower } = this.layered()
    const { born, destination } = this
    const { onLostXattr } = this.options
    copyUp(lower.get(layer)!, from, destination.at(parentPath(to)), baseName(to), {
      form,
      born,
      onLostXattr
    })
  }

  private layered(): LayeredOptions {
    const { layered } = this.options
    if (layered === undefined) throw new Error('[internal] one tree has no marks of layers')
    return layered
  }
}
