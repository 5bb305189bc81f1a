/** Adds a tar archive to an image as a layer, unchanged. */
import { resolve } from 'node:path'
import { withFacts } from '../errors.ts'
import { openArchiveInput, type ArchiveInput } from './edit/archive-input.ts'
import type { ChangeResult } from './edit/change-options.ts'
import { changeTag, type TagOptions } from './change-tag.ts'
import type { LayerWriter } from './edit/layer-writer.ts'
import { readTar, unusable } from './edit/read-tar.ts'
import { requireOptions } from './operation/required-options.ts'

export interface AddLayerOptions extends TagOptions {
  /** Path of a tar archive: a file, or a pipe or device, which is read to its end. */
  archive: string
}

/**
 * Adds a tar archive to an image. The bytes of the tar become the layer unchanged; an archive that is compressed with
 * gzip or zstd is decompressed first. Only what `unpack` can read is taken.
 * @throws OciUnpackError with a stable `code`
 */
export async function addLayerArchive(options: AddLayerOptions): Promise<ChangeResult> {
  requireOptions(options, { image: 'text', archive: 'text' })
  const path = resolve(options.archive)
  return changeTag(options, {
    command: 'raw add-layer',
    inheritAuthor: true,
    write: (settings) => (writer) => copy(path, writer, settings.signal)
  })
}

async function copy(
  path: string,
  writer: LayerWriter,
  signal: AbortSignal | undefined
): Promise<void> {
  const input = open(path)
  try {
    for await (const chunk of readTar(input, signal)) await writer.write(chunk)
  } catch (error) {
    throw withFacts(error, { path })
  } finally {
    input.close()
  }
}

function open(path: string): ArchiveInput {
  const input = openIfThere(path)
  if (input !== undefined) return input
  throw withFacts(unusable('it is a directory'), { path })
}

function openIfThere(path: string): ArchiveInput | undefined {
  try {
    return openArchiveInput(path)
  } catch (cause) {
    throw withFacts(unusable((cause as Error).message, cause), { path })
  }
}
