/** What the shared tests need to know of each transport: how its places look, and how to damage one. */
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import type { ErrorCode } from '../../src/errors.ts'
import type { BlobSource } from '../../src/store/blob-source.ts'
import type { ImageName } from '../../src/transports/list.ts'

export interface Place {
  transport: ImageName['transport']
  /** What may follow the path, beside nothing. */
  tags: readonly string[]
  /** What may not follow it for a new image. */
  wrong: readonly string[]
  /** Where nothing is. */
  absent: ErrorCode
  /** Where a plain file lies. */
  occupied: ErrorCode
  /** What happens to images that are there when one is written. */
  existing: 'kept' | 'refused'
  /** Makes its documents unreadable. */
  damage(path: string): void
  damaged: ErrorCode
}

const cutShort = (path: string): void => truncateSync(path, statSync(path).size / 2)

export const PLACES: readonly Place[] = [
  {
    transport: 'oci',
    tags: ['12', 'a:b', 'x/y@z'],
    wrong: ['', ':t', '@1', 'a b'],
    absent: 'LAYOUT_INVALID',
    occupied: 'LAYOUT_INVALID',
    existing: 'kept',
    damage: (path) => writeFileSync(`${path}/index.json`, '{'),
    damaged: 'DOCUMENT_INVALID'
  },
  {
    transport: 'oci-archive',
    tags: ['12', 'a:b', 'x/y@z'],
    wrong: ['', ':t', '@1', 'a b'],
    absent: 'ARCHIVE_INVALID',
    occupied: 'ARCHIVE_EXISTS',
    existing: 'refused',
    damage: cutShort,
    damaged: 'TAR_INVALID'
  },
  {
    transport: 'docker-archive',
    tags: ['debian', 'debian:12', 'host:5000/n:t', '@12'],
    wrong: ['', ':t', '@x', 'a b'],
    absent: 'ARCHIVE_INVALID',
    occupied: 'ARCHIVE_EXISTS',
    existing: 'refused',
    damage: cutShort,
    damaged: 'TAR_INVALID'
  }
]

export function flipBit({ path, section }: BlobSource): void {
  const bytes = readFileSync(path!)
  bytes[(section?.offset ?? 0) + 20]! ^= 1
  writeFileSync(path!, bytes)
}

/** Takes a layer away from the layout that images are copied from. */
export function removeBlob({ path }: BlobSource): void {
  rmSync(path!)
}
