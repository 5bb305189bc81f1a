/** Which file system is in a file. */
import { close } from '../../sys/files.ts'
import { openRegularFile } from '../../sys/open-regular.ts'
import { readFully } from '../../sys/read.ts'
import type { Place } from '../extract/layer-places.ts'

type Format = Extract<Place, { kind: 'image' }>['format']

/** Where the superblock has its magic number, and what is there. */
const MAGIC: Readonly<Record<Format, { at: number; hex: string }>> = {
  erofs: { at: 1024, hex: 'e2e1f5e0' },
  squashfs: { at: 0, hex: '68737173' }
}

/** Undefined if it is not a regular file, or holds none of those that are known. */
export function imageFormat(path: string): Format | undefined {
  const file = openRegularFile(path, 'followed')
  if (file === undefined) return undefined
  try {
    return (Object.keys(MAGIC) as Format[]).find((format) => isFormat(file.fd, format))
  } finally {
    close(file.fd)
  }
}

function isFormat(file: number, format: Format): boolean {
  const { at, hex } = MAGIC[format]
  const bytes = Buffer.alloc(hex.length / 2)
  readFully(file, bytes, bytes.length, at)
  return bytes.toString('hex') === hex
}
