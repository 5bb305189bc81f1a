/** Content digests. */
import { createHash } from 'node:crypto'
import { OciUnpackError } from '../errors.ts'

/**
 * A content digest `algorithm:encoded` (image-spec descriptor.md, Digests). `parseDigest` returns only digests that can
 * be verified here. A document may contain one with another algorithm, which `digestAlgorithm` refuses.
 */
export type Digest = string & { readonly __digest: unique symbol }

/** The registered algorithms that this program verifies (descriptor.md, Registered Algorithms). */
export type DigestAlgorithm = 'sha256' | 'sha512'

const HEX_DIGITS: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 }

export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512']

/** Text as a digest. @throws DIGEST_INVALID: not a digest, upper-case, wrong length, or an unknown algorithm */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':')
  const algorithm = text.slice(0, Math.max(colon, 0))
  if (!isAlgorithm(algorithm)) throw invalid(text, 'the algorithm is neither sha256 nor sha512')
  const hex = text.slice(colon + 1)
  if (!isHex(hex, algorithm)) {
    throw invalid(text, `${algorithm} needs ${HEX_DIGITS[algorithm]} lower-case hex digits`)
  }
  return text as Digest
}

/** Whether text is a digest that can be verified here. */
export function isDigest(text: string): text is Digest {
  const [algorithm = '', hex = '', ...more] = text.split(':')
  return more.length === 0 && isAlgorithm(algorithm) && isHex(hex, algorithm)
}

/** @throws DIGEST_INVALID if the digest cannot be verified here */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return parseDigest(digest).startsWith('sha256:') ? 'sha256' : 'sha512'
}

/** The part after the colon: lower-case hex. @throws DIGEST_INVALID if the digest cannot be verified here */
export function digestHex(digest: Digest): string {
  return parseDigest(digest).slice(digest.indexOf(':') + 1)
}

/** Digest of bytes in memory. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(bytes), algorithm)
}

/** Ends a hash that other code has fed; the hash cannot be used afterwards. */
export function finishDigest(
  hash: { digest(encoding: 'hex'): string },
  algorithm: DigestAlgorithm
): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest
}

/**
 * The chain ID of each layer, which identifies the layer and all layers below it; base layer first (image-spec
 * config.md, Layer ChainID).
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below === undefined ? diffId : digestOf(Buffer.from(`${below} ${diffId}`)))
  }
  return chain
}

function isAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(HEX_DIGITS, name)
}

function isHex(text: string, algorithm: DigestAlgorithm): boolean {
  return text.length === HEX_DIGITS[algorithm] && /^[0-9a-f]+$/.test(text)
}

function invalid(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('DIGEST_INVALID', 'A digest is not valid.', {
    facts: { found, reason }
  })
}
