/** The UUIDs of EROFS images, which follow from their content. */
import { createHash } from 'node:crypto'
import type { Digest } from '../../image/digest.ts'

/** RFC 9562, section 6.6. */
const NAMESPACE_URL = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

/** That of the layers that containerd prepares. */
export function layerUuid(diffId: Digest): Uint8Array {
  return uuid5(`erofs:blobs/${diffId}`)
}

/** @param chainId of the whole image @param variant of the bytes that its layers can be joined in */
export function mergedUuid(chainId: Digest, variant: string): Uint8Array {
  return uuid5(`erofs:merged/${chainId}/${variant}`)
}

/** Of the image that joins the layers of a storage: it names them by their UUIDs, and is for overlay mounts. */
export function joinedUuid(chainId: Digest): Uint8Array {
  return mergedUuid(chainId, 'joined')
}

/** A UUID of version 5 (RFC 9562, section 5.5). */
function uuid5(name: string): Uint8Array {
  const bytes = createHash('sha1').update(NAMESPACE_URL).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}
