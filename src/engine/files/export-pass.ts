/**
 * Exports a file while it is being searched for, so that its layer is read only once: the first file that seems to be the
 * right one is written at once. When the search has ended, it usually is; if not, the right one is written in a second pass.
 */
import { display, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Inode } from '../../plan/tree.ts'
import type { WantedBody } from '../../rootfs/export-sink.ts'
import type { OutputDescription } from '../../rootfs/output-writer.ts'
import type { ExportedBody } from '../../worker/export-body.ts'
import type { ImageJob } from '../extract/job.ts'
import { findOne, type FileSearch, type FoundInode } from './file-search.ts'
import type { LayerIndexes } from './find-files.ts'
import { withLayerReader, type LayerIndex, type LayerReader } from './layer-reader.ts'
import { entryOf, withoutProgress } from './spool-bodies.ts'

export interface ExportWay {
  /** Undefined: nothing is written. */
  output: OutputDescription | undefined
  stopEarly: boolean
  /** Called when a file was written that may turn out not to be the right one. */
  onGuess: () => void
  /** Takes back what was written. False if that is not possible. */
  reset: () => boolean
}

export interface ExportedFile extends FoundInode {
  exported: ExportedBody
}

/** @throws PATH_*, TARGET_INVALID, and what reading and writing throw */
export function exportFound(
  job: ImageJob,
  search: FileSearch,
  way: ExportWay
): Promise<ExportedFile> {
  const { guess } = search
  if (guess === undefined) return again(job, search, way, false)
  return withLayerReader(job, async (reader) => {
    const layers = new GuessedLayers(reader, job.image.manifest.layers.length, guess, way)
    const found = await layers.hold(() => findOne(layers, job, search))
    const { exported } = layers
    if (found !== undefined && exported !== undefined && isSame(found.inode, exported))
      return { ...found, exported: exported.file }
    return again(job, search, way, exported !== undefined && exported.file.size > 0)
  })
}

function isSame(inode: Inode, { layer, file }: Guessed): boolean {
  return inode.layer === layer && entryOf(inode).body === file.body
}

/** The search without a guess, and then the file. */
async function again(
  job: ImageJob,
  search: FileSearch,
  way: ExportWay,
  hasWritten: boolean
): Promise<ExportedFile> {
  return withLayerReader(withoutProgress(job), async (reader) => {
    const found = await findOne(reader, job, search)
    if (hasWritten && !way.reset()) throw wrongGuess(found.path)
    const { layer } = found.inode
    const wanted = { body: entryOf(found.inode).body! }
    const { exported } = await reader.exportBody(layer, wanted, way.output, way.stopEarly)
    return { ...found, exported: exported! }
  })
}

function wrongGuess(path: ByteString): OciUnpackError {
  return new OciUnpackError(
    'TARGET_INVALID',
    'Another file of the image was written first, which turned out not to be the right one.',
    {
      facts: { entry: display(path), reason: 'layers contain the path more than once' },
      hint: 'What was written must not be used. Export to a new file, which can be begun again.'
    }
  )
}

interface Guessed {
  layer: number
  file: ExportedBody
}

class GuessedLayers implements LayerIndexes {
  exported: Guessed | undefined
  private readonly reader: LayerReader
  private readonly guess: WantedBody
  private readonly way: ExportWay
  /** The only layer that may have the file, as far as is known. */
  private next: number

  constructor(reader: LayerReader, layers: number, guess: WantedBody, way: ExportWay) {
    this.reader = reader
    this.guess = guess
    this.way = way
    this.next = layers - 1
  }

  async index(layer: number): Promise<LayerIndex> {
    if (layer !== this.next) return this.reader.index(layer)
    this.next = -1
    const { output, stopEarly } = this.way
    const { index, exported } = await this.reader.exportBody(layer, this.guess, output, stopEarly)
    if (exported === undefined) this.next = layer - 1
    else this.found({ layer, file: exported })
    return index
  }

  private found(exported: Guessed): void {
    this.exported = exported
    if (exported.file.size > 0) this.way.onGuess()
  }

  /** A search in a layer that was not read to its end may find nothing, or the wrong file. */
  async hold(act: () => Promise<FoundInode>): Promise<FoundInode | undefined> {
    try {
      return await act()
    } catch (error) {
      if (this.exported?.file.isVerified === false && isAboutPath(error)) return undefined
      throw error
    }
  }
}

function isAboutPath(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code.startsWith('PATH_')
}
