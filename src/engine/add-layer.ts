/** Adds a tar archive to an image as a layer, unchanged. */
import { closeSync } from 'node:fs'
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { readInto } from '../sys/files.ts'
import { openRegularFile, type RegularFile } from '../sys/open-regular.ts'
import type { ChangeResult } from './edit/change-options.ts'
import { changeTag, type TagOptions } from './edit/change-tag.ts'
import type { LayerWriter } from './edit/layer-writer.ts'
import { requireOptions } from './operation/required-options.ts'

export interface AddLayerOptions extends TagOptions {
  /** Uncompressed tar archive; its bytes become the layer, whatever they are. */
  archive: string
}

/** Adds an uncompressed tar archive to an image, verbatim. @throws OciUnpackError with a stable `code` */
export async function addLayerArchive(options: AddLayerOptions): Promise<ChangeResult> {
  requireOptions(options, { image: 'text', archive: 'text' })
  const path = resolve(options.archive)
  return changeTag(options, {
    command: 'raw add-layer',
    inheritAuthor: true,
    write: () => (writer) => copy(path, writer)
  })
}

const CHUNK = 1024 * 1024

async function copy(path: string, writer: LayerWriter): Promise<void> {
  const fd = openArchive(path)
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  try {
    for (let length = readInto(fd, buffer); length > 0; length = readInto(fd, buffer))
      await writer.write(buffer.subarray(0, length))
  } finally {
    closeSync(fd)
  }
}

function openArchive(path: string): number {
  const file = openIfRegular(path)
  if (file !== undefined) return file.fd
  throw unusable(path, 'it is not a regular file', undefined)
}

function openIfRegular(path: string): RegularFile | undefined {
  try {
    return openRegularFile(path, 'followed')
  } catch (cause) {
    throw unusable(path, (cause as Error).message, cause)
  }
}

function unusable(path: string, reason: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('USAGE', 'The layer archive cannot be read.', {
    facts: { path, reason },
    hint: 'Give an uncompressed tar file.',
    cause
  })
}
