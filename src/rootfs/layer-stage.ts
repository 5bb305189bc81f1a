/**
 * The sink that makes objects: it writes one layer's entries to a private staging directory. Directories get their
 * metadata later, when all layers are joined; everything else is finished here, so that joining only has to rename.
 */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { WriteRules } from '../plan/policy/policies.ts'
import { STAGED_SPILL, STAGED_TREE, StageLayout, type LiteralTree } from '../plan/stage-layout.ts'
import { STAGED_IN_TREE, type StagedEntry } from '../plan/staged-entry.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close, createFile } from '../sys/files.ts'
import { isErrno } from '../sys/failure.ts'
import { identity } from '../sys/identity.ts'
import { makeDirectory } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { BodyWriter } from './body-writer.ts'
import { Birthright, writeFileMetadata } from './write-metadata.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import type { LayerSink, SinkReport } from './layer-sink.ts'
import { skipping, type IsSkipped, type Skips } from './skips.ts'
import { makeSpecialObject } from './special-object.ts'

export interface StagingDescription {
  kind: 'staging'
  /** An empty directory for this layer alone. */
  place: StagingPlace
  /** Have every file hashed, for the tree manifest. */
  digests: boolean
  /** Default: all metadata is set, and what the kernel refuses is a failure. */
  write?: WriteRules
  /** What not to write. By default everything is written. */
  skips?: Skips
}

/** Given by descriptor, which all threads of the process share, so that names above the directory do not matter. */
export interface StagingPlace {
  directory: number
  /** Relative to that descriptor. */
  path: ByteString
}

export class LayerStage implements LayerSink, LiteralTree {
  private readonly report: SinkReport
  private readonly digests: boolean
  private readonly isSkipped: IsSkipped
  private readonly layout = new StageLayout(this)
  private readonly born: Birthright
  private readonly body = new BodyWriter()
  private readonly treeFd: number
  private readonly spillFd: number
  private readonly tree: DirectoryCursor
  private current: StagedEntry | undefined
  private fileFd = -1

  constructor({ place, digests, write, skips }: StagingDescription, report: SinkReport) {
    this.born = new Birthright(identity(), write)
    this.report = report
    this.digests = digests
    this.isSkipped = skipping(skips)
    const staging = openBeneath(place.directory, place.path)
    try {
      makeDirectory(staging, STAGED_TREE, PRIVATE_MODE)
      makeDirectory(staging, STAGED_SPILL, PRIVATE_MODE)
      this.treeFd = openBeneath(staging, STAGED_TREE)
      this.spillFd = openBeneath(staging, STAGED_SPILL)
    } finally {
      close(staging)
    }
    this.tree = new DirectoryCursor(this.treeFd)
  }

  get hashesFile(): boolean {
    return this.digests && this.fileFd >= 0
  }

  entry(staged: StagedEntry, body: number): void {
    this.current = staged
    if (this.isSkipped(staged, body)) return
    switch (staged.type) {
      case 'whiteout':
      case 'opaque':
      case 'hardlink':
        return
      case 'directory':
        staged.staged = this.layout.placeDirectory(staged.path)
        return
      case 'file':
      case 'symlink':
      case 'char':
      case 'block':
      case 'fifo':
        if (staged.path !== '') this.place(staged)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.fileFd >= 0) this.body.write(chunk, start, end, position)
  }

  end(): void {
    if (this.fileFd >= 0) this.finishFile(this.current!)
    this.current = undefined
  }

  /** The objects that were written stay. */
  close(): void {
    this.tree.release()
    if (this.fileFd >= 0) close(this.fileFd)
    close(this.treeFd)
    close(this.spillFd)
  }

  /** Only the owner may enter it until it is joined and has its metadata. */
  makeDirectory(path: ByteString): boolean {
    const parent = this.tree.at(parentPath(path))
    return isFree(() => {
      makeDirectory(parent, baseName(path), PRIVATE_MODE)
    })
  }

  /** Makes a new object in the tree at its own path, or in the spill directory under its number. */
  private place(staged: StagedEntry): void {
    staged.staged = this.layout.placeLeaf(staged.path, () => this.makeInTree(staged))
    if (staged.staged !== STAGED_IN_TREE) this.make(staged, this.spillFd, String(staged.staged))
  }

  private makeInTree(staged: StagedEntry): boolean {
    const parent = this.tree.at(parentPath(staged.path))
    return isFree(() => {
      this.make(staged, parent, baseName(staged.path))
    })
  }

  /** @throws SyscallError EEXIST if the name is taken */
  private make(staged: StagedEntry, directory: number, name: ByteString): void {
    if (staged.type === 'file') {
      this.fileFd = createFile(directory, name, this.born.fileMode(staged))
      this.body.begin(this.fileFd, staged.size)
    } else makeSpecialObject(directory, name, staged, this.born, this.report.lostXattr)
  }

  private finishFile(staged: StagedEntry): void {
    this.body.finish()
    writeFileMetadata(this.fileFd, staged, this.born, this.report.lostXattr)
    const fd = this.fileFd
    this.fileFd = -1
    close(fd)
  }
}

/** Whether the name under which something is made was free. */
function isFree(make: () => void): boolean {
  try {
    make()
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}
