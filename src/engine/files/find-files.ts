/** Finds paths of an image from the top layer down, reading no more layers than the answer needs. */
import { display, type ByteString } from '../../bytes.ts'
import { OciUnpackError, withFacts } from '../../errors.ts'
import { findPath, type Found } from '../../plan/find-path.ts'
import { fold } from '../../plan/fold.ts'
import { joinPath } from '../../plan/names.ts'
import { pathOfDirectory } from '../../plan/tree-paths.ts'
import { INDEXED_NODES, newTree, type Directory, type Node } from '../../plan/tree.ts'
import { UpperTree } from '../../plan/upper-tree.ts'
import type { ImageJob } from '../extract/job.ts'
import { layerName } from '../extract/layer-tasks.ts'
import { withLayerReader, type LayerIndex, type LayerReader } from './layer-reader.ts'

/** What was found, and its path relative to the root, without links. */
export interface FoundFile {
  path: ByteString
  node: Node
  /** Undefined for the root. */
  parent: Directory | undefined
}

/**
 * @param last whether a link at the end of a path is followed. @throws PATH_NOT_FOUND, PATH_INVALID, and what reading
 * throws
 */
export async function findFiles(
  job: ImageJob,
  paths: readonly ByteString[],
  last: 'follow' | 'keep'
): Promise<FoundFile[]> {
  return withLayerReader(job, (reader) => findFilesWith(reader, job, paths, last))
}

/** What gives the entries of layers. */
export type LayerIndexes = Pick<LayerReader, 'index'>

/** The same with layers that are not read, or not only for this. */
export function findFilesWith(
  indexes: LayerIndexes,
  job: ImageJob,
  paths: readonly ByteString[],
  last: 'follow' | 'keep'
): Promise<FoundFile[]> {
  return new Search(job, indexes, paths, last).run()
}

/** @throws PATH_NOT_FOUND, PATH_INVALID */
export function findFile(root: Directory, path: ByteString, last: 'follow' | 'keep'): FoundFile {
  const found = findPath(root, path, last)
  switch (found.kind) {
    case 'directory':
      return {
        path: pathOfDirectory(found.directory),
        node: found.directory,
        parent: found.directory.parent
      }
    case 'leaf':
      return {
        path: joinPath(pathOfDirectory(found.parent), found.name),
        node: found.leaf,
        parent: found.parent
      }
    case 'missing':
    case 'blocked':
      throw notFound(path)
  }
}

class Search {
  private readonly job: ImageJob
  private readonly reader: LayerIndexes
  private readonly paths: readonly ByteString[]
  private readonly last: 'follow' | 'keep'
  /** Indexes of the layers that were read, by layer number. */
  private readonly indexes = new Map<number, LayerIndex>()

  constructor(
    job: ImageJob,
    reader: LayerIndexes,
    paths: readonly ByteString[],
    last: 'follow' | 'keep'
  ) {
    this.job = job
    this.reader = reader
    this.paths = paths
    this.last = last
  }

  async run(): Promise<FoundFile[]> {
    const { layers } = this.job.image.manifest
    for (let layer = layers.length - 1; layer > 0 && !this.needsAll(); layer--) {
      await this.read([layer])
      const known = this.tryUpper(layer)
      if (known !== undefined) return known
    }
    await this.read([...layers.keys()].filter((layer) => !this.indexes.has(layer)))
    return this.answer(this.whole())
  }

  /** A link may be kept because of what a lower layer has, and every layer may contain a part of a directory. */
  private needsAll(): boolean {
    return this.job.settings.keepDirlinks || this.isDirectoryWanted
  }

  private isDirectoryWanted = false

  private async read(layers: readonly number[]): Promise<void> {
    await Promise.all(
      layers.map(async (layer) => this.indexes.set(layer, await this.reader.index(layer)))
    )
  }

  /** The answer from the layers down to this one, if they are enough. */
  private tryUpper(lowest: number): FoundFile[] | undefined {
    const upper = new UpperTree()
    for (let layer = lowest; this.indexes.has(layer); layer++)
      for (const entry of this.indexes.get(layer)!()) if (!upper.add(layer, entry)) return undefined
    const { root } = upper.tree
    const found = this.paths.map((path) => findPath(root, path, this.last))
    this.isDirectoryWanted = found.some(({ kind }) => kind === 'directory')
    if (this.isDirectoryWanted || found.some((each) => mayBeBelow(upper, each))) return undefined
    return this.answer(root)
  }

  private whole(): Directory {
    const { layers } = this.job.image.manifest
    const { keepDirlinks } = this.job.settings
    const tree = newTree(INDEXED_NODES)
    for (const [layer, descriptor] of layers.entries())
      for (const entry of this.indexes.get(layer)!())
        try {
          fold(tree, layer, entry, { keepDirlinks })
        } catch (error) {
          throw withFacts(error, {
            layer: layerName(layer, descriptor),
            entry: display(entry.path)
          })
        }
    return tree.root
  }

  private answer(root: Directory): FoundFile[] {
    return this.paths.map((path) => findFile(root, path, this.last))
  }
}

function mayBeBelow(upper: UpperTree, found: Found): boolean {
  return found.kind === 'missing' && upper.mayHaveMore(found.parent, found.name)
}

function notFound(path: ByteString): OciUnpackError {
  return new OciUnpackError('PATH_NOT_FOUND', 'The image does not contain this path.', {
    facts: { entry: display(path) },
    hint: 'Paths are looked up as in the unpacked image; an upper layer may have removed this one.'
  })
}
