/**
 * Writes one layer's entries into its private staging directory while they are read, and passes each on as
 * a StagedEntry. Directories get their metadata later, when all layers are joined; everything else is
 * finished here, so that the join only has to rename.
 */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { STAGED_SPILL, STAGED_TREE } from '../plan/layer-stack.ts'
import { baseName, parentPath } from '../plan/names.ts'
import { planEntry, type EntryRules } from '../plan/plan-entry.ts'
import { StageLayout } from '../plan/stage-layout.ts'
import { STAGED_IN_TREE, type StagedEntry } from '../plan/staged-entry.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close, createFile } from '../sys/files.ts'
import { identity } from '../sys/identity.ts'
import { makeDirectory } from '../sys/names.ts'
import type { TarEntry } from '../tar/entry.ts'
import type { TarSink } from '../tar/reader.ts'
import { BodyWriter } from './body-writer.ts'
import { Birthright, writeFileMetadata, type OnLostXattr } from './write-metadata.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { makeSpecialObject } from './special-object.ts'

export interface StageOptions {
  rules: EntryRules
  /** Hash file bodies for the manifest. */
  digests: boolean
  onEntry: (entry: StagedEntry) => void
  onLostXattr: OnLostXattr
}

/** Only the owner may enter a directory until it is joined and has its metadata. */
const PRIVATE_MODE = 0o700

export class LayerStage implements TarSink {
  private readonly options: StageOptions
  private readonly layout = new StageLayout()
  private readonly born = new Birthright(identity())
  private readonly body: BodyWriter
  private readonly treeFd: number
  private readonly spillFd: number
  private readonly tree: DirectoryCursor
  private current: StagedEntry | undefined
  private fileFd = -1

  /** @param staging descriptor of an empty directory of this layer alone; stays the caller's */
  constructor(staging: number, options: StageOptions) {
    this.options = options
    this.body = new BodyWriter(options)
    makeDirectory(staging, STAGED_TREE, PRIVATE_MODE)
    makeDirectory(staging, STAGED_SPILL, PRIVATE_MODE)
    this.treeFd = openBeneath(staging, STAGED_TREE)
    this.spillFd = openBeneath(staging, STAGED_SPILL)
    this.tree = new DirectoryCursor(this.treeFd)
  }

  entry(entry: TarEntry): void {
    this.guarded(entry.name, () => this.begin(planEntry(entry, this.options.rules)))
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.fileFd < 0) return
    try {
      this.body.write(chunk, start, end, position)
    } catch (error) {
      throw withFacts(error, { entry: display(this.current!.path) })
    }
  }

  end(): void {
    const staged = this.current!
    if (this.fileFd >= 0) this.guarded(staged.path, () => this.finishFile(staged))
    this.current = undefined
    this.options.onEntry(staged)
  }

  /** Releases the descriptors; what was written stays. */
  close(): void {
    this.tree.release()
    if (this.fileFd >= 0) close(this.fileFd)
    close(this.treeFd)
    close(this.spillFd)
  }

  private begin(staged: StagedEntry): void {
    this.current = staged
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

  /** A new object in the tree at its own path, or in the spill directory under its number. */
  private create(staged: StagedEntry): void {
    staged.staged = this.layout.placeLeaf(staged.path, (path) => this.makeDirectory(path))
    const inTree = staged.staged === STAGED_IN_TREE
    const directory = inTree ? this.tree.at(parentPath(staged.path)) : this.spillFd
    const name = inTree ? baseName(staged.path) : String(staged.staged)
    if (staged.type === 'file') {
      this.fileFd = createFile(directory, name, this.born.fileMode(staged.mode))
      this.body.begin(this.fileFd, staged.size)
    } else makeSpecialObject(directory, name, staged, this.born, this.options.onLostXattr)
  }

  private finishFile(staged: StagedEntry): void {
    const digest = this.body.finish()
    if (digest !== undefined) staged.sha256 = digest
    writeFileMetadata(this.fileFd, staged, this.born, this.options.onLostXattr)
    const fd = this.fileFd
    this.fileFd = -1
    close(fd)
  }

  private makeDirectory(path: ByteString): void {
    makeDirectory(this.tree.at(parentPath(path)), baseName(path), PRIVATE_MODE)
  }

  private guarded(name: ByteString, act: () => void): void {
    try {
      act()
    } catch (error) {
      throw withFacts(error, { entry: display(name) })
    }
  }
}
