/**
 * The sink that makes objects: it writes one layer's entries to a private staging directory. Directories get their
 * metadata later, when all layers are joined; everything else is finished here, so that joining only has to rename.
 */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { WriteRules } from '../plan/policy/policies.ts'
import { STAGED_SPILL, STAGED_TREE, stagedPlace, StageLayout } from '../plan/stage-layout.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close, createFile } from '../sys/files.ts'
import { identity } from '../sys/identity.ts'
import { makeDirectory } from '../sys/names.ts'
import { storedBytes, type Extents } from '../tar/sparse.ts'
import { BodyWriter } from './body-writer.ts'
import { Birthright, writeFileMetadata } from './write-metadata.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import type { LayerSink, SinkReport } from './layer-sink.ts'
import { makeSpecialObject } from './special-object.ts'
import { PRIVATE_MODE } from './own-directory.ts'

export interface StagingDescription {
  kind: 'staging'
  /** An empty directory for this layer alone. */
  place: StagingPlace
  /** Hash every file for the tree manifest. */
  digests: boolean
  /** Default: all metadata is set, and what the kernel refuses is a failure. */
  write?: WriteRules
}

/** Given by descriptor, which all threads of the process share, so that names above the directory do not matter. */
export interface StagingPlace {
  directory: number
  /** Relative to that descriptor. */
  path: ByteString
}

export class LayerStage implements LayerSink {
  private readonly report: SinkReport
  private readonly digests: boolean
  private readonly layout = new StageLayout()
  private readonly born: Birthright
  private readonly body: BodyWriter
  private readonly treeFd: number
  private readonly spillFd: number
  private readonly tree: DirectoryCursor
  private current: StagedEntry | undefined
  private fileFd = -1

  constructor({ place, digests, write }: StagingDescription, report: SinkReport) {
    this.born = new Birthright(identity(), write)
    this.report = report
    this.digests = digests
    this.body = new BodyWriter({ digests, pause: report.pause })
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

  entry(staged: StagedEntry, _body: number, extents: Extents | undefined): void {
    this.current = staged
    if (extents !== undefined && this.digests) this.report.holes(staged.size - storedBytes(extents))
    switch (staged.type) {
      case 'whiteout':
      case 'opaque':
      case 'hardlink':
        return
      case 'directory':
        staged.staged = this.layout.placeDirectory(staged.path, (path) => this.makeDirectory(path))
        return
      case 'file':
      case 'symlink':
      case 'char':
      case 'block':
      case 'fifo':
        if (staged.path !== '') this.create(staged)
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

  /** Makes a new object in the tree at its own path, or in the spill directory under its number. */
  private create(staged: StagedEntry): void {
    staged.staged = this.layout.placeLeaf(staged.path, (path) => this.makeDirectory(path))
    const { top, directory: path, name } = stagedPlace(staged)!
    const directory = top === STAGED_TREE ? this.tree.at(path) : this.spillFd
    if (staged.type === 'file') {
      this.fileFd = createFile(directory, name, this.born.fileMode(staged))
      this.body.begin(this.fileFd, staged.size)
    } else makeSpecialObject(directory, name, staged, this.born, this.report.lostXattr)
  }

  private finishFile(staged: StagedEntry): void {
    const digest = this.body.finish()
    if (digest !== undefined) staged.sha256 = digest
    writeFileMetadata(this.fileFd, staged, this.born, this.report.lostXattr)
    const fd = this.fileFd
    this.fileFd = -1
    close(fd)
  }

  /** Only the owner may enter it until it is joined and has its metadata. */
  private makeDirectory(path: ByteString): void {
    makeDirectory(this.tree.at(parentPath(path)), baseName(path), PRIVATE_MODE)
  }
}
