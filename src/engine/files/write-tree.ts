/** Writes the merged tree of an image as one tar archive, straight from its layers: nothing is unpacked. */
import { implicitDirectory } from '../../plan/implicit-directory.ts'
import {
  bodyOf,
  membersOf,
  storedSize,
  treeArchive,
  type ArchivedFile
} from '../../plan/tree-archive.ts'
import { endOfArchive, headerBlocks, padding } from '../../tar/writer.ts'
import type { TarEntry } from '../../tar/entry.ts'
import { layerTar } from '../../transports/layer-tar.ts'
import type { ImageJob } from '../extract/job.ts'
import { heedSignals } from '../operation/abort.ts'
import { indexImage } from './index-image.ts'

export type WriteBytes = (bytes: Buffer) => Promise<void>

/**
 * Reads all layers twice: first at the same time, for the tree, and then those that have files in it one after another,
 * for the content. Both times they are verified. @throws the first failure, with its layer; ABORTED
 */
export async function writeTree(job: ImageJob, write: WriteBytes): Promise<void> {
  const root = await indexImage(job)
  const { before, files, after } = treeArchive(root, implicitDirectory(job.settings.policy))
  for (const entry of before) await write(header(entry))
  for (const [layer, each] of files) await writeFiles(job, layer, each, write)
  for (const entry of after) await write(header(entry))
  await write(endOfArchive())
}

function header(entry: TarEntry, extents?: readonly number[]): Buffer {
  return headerBlocks(entry, {
    precision: 'nanoseconds',
    aclTexts: true,
    ...(extents === undefined ? {} : { sparse: extents })
  })
}

/** Cuts the content of the files out of the tar of their layer. */
async function writeFiles(
  { source, image, settings }: ImageJob,
  layer: number,
  files: readonly ArchivedFile[],
  write: WriteBytes
): Promise<void> {
  const { decompressor, signal } = settings
  const breathe = (): Promise<void> => heedSignals(signal)
  const descriptor = image.manifest.layers[layer]!
  const cutter = new Cutter(files, write)
  for await (const chunk of layerTar(source, descriptor, { decompressor, breathe }))
    await cutter.push(chunk)
  await cutter.finish()
}

class Cutter {
  private readonly files: readonly ArchivedFile[]
  private readonly write: WriteBytes
  private next = 0
  /** How many bytes of the current file are still to come; undefined between files. */
  private left: number | undefined
  private offset = 0

  constructor(files: readonly ArchivedFile[], write: WriteBytes) {
    this.files = files
    this.write = write
  }

  async push(chunk: Buffer): Promise<void> {
    const end = this.offset + chunk.length
    for (let file = this.current(end); file !== undefined; file = this.current(end)) {
      const begin = this.left === undefined ? await this.begin(file) : this.offset
      const from = begin - this.offset
      const bytes = chunk.subarray(from, from + this.left!)
      await this.write(bytes)
      this.left! -= bytes.length
      if (this.left! > 0) break
      await this.end(file)
    }
    this.offset = end
  }

  /** A file that consists of a hole has no bytes, and may come at the very end. */
  async finish(): Promise<void> {
    for (let file = this.files[this.next]; file !== undefined; file = this.files[this.next]) {
      if (this.left === undefined) await this.begin(file)
      if (this.left! > 0) throw new Error('The tar of a layer is shorter than it was.')
      await this.end(file)
    }
  }

  /** The file that has content before this offset. */
  private current(end: number): ArchivedFile | undefined {
    const file = this.files[this.next]
    return file !== undefined && (this.left !== undefined || bodyOf(file) < end) ? file : undefined
  }

  private async begin(file: ArchivedFile): Promise<number> {
    const { size, extents } = file.inode.entry!
    this.left = storedSize(file.inode.entry!)
    await this.write(header(membersOf(file).first, this.left === size ? undefined : extents))
    return bodyOf(file)
  }

  private async end(file: ArchivedFile): Promise<void> {
    await this.write(Buffer.alloc(padding(storedSize(file.inode.entry!))))
    for (const link of membersOf(file).links) await this.write(header(link))
    this.left = undefined
    this.next++
  }
}
