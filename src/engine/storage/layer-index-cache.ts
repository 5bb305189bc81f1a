/**
 * What is in each layer that a storage keeps as an image, so that it can be joined with others without being read. A
 * by-product of unpacking; without it, the blob is read again.
 */
import { createHash } from 'node:crypto'
import type { Digest } from '../../image/digest.ts'
import type { LayerIndex, LayerIndexes } from '../extract/layer-places.ts'
import { readCached, writeCached, type CachedManifest } from './tree-manifest-cache.ts'

/** @param storage its name @param chainIds of the layers */
export function layerIndexes(storage: string, chainIds: readonly Digest[]): LayerIndexes {
  const cached = (layer: number): CachedManifest => ({
    storage,
    policy: 'exact',
    chainId: chainIds[layer]!
  })
  return {
    fetch(layer) {
      const bytes = readCached(cached(layer), 'entries')
      return bytes === undefined ? undefined : decode(bytes)
    },
    keep: (layer, index) => writeCached(cached(layer), 'entries', encode(index))
  }
}

/** Another form of the entries gets another number. */
const HEADERS = { true: 'entries 1, with digests\n', false: 'entries 1, no digests  \n' } as const
const HEADER_BYTES = HEADERS.true.length
const DIGEST_BYTES = 32

function encode({ entries, hasDigests }: LayerIndex): Buffer {
  const content = Buffer.concat([Buffer.from(HEADERS[`${hasDigests}`]), ...entries])
  return Buffer.concat([digest(content), content])
}

/** Undefined for what is not whole, as after a power failure. */
function decode(bytes: Buffer): LayerIndex | undefined {
  const content = bytes.subarray(DIGEST_BYTES)
  if (!bytes.subarray(0, DIGEST_BYTES).equals(digest(content))) return undefined
  const header = content.toString('latin1', 0, HEADER_BYTES)
  if (header !== HEADERS.true && header !== HEADERS.false) return undefined
  return { entries: [content.subarray(HEADER_BYTES)], hasDigests: header === HEADERS.true }
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
