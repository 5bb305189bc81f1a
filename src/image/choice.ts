/** Chooses an image of an index by platform. */
import { OciUnpackError, type ErrorCode } from '../errors.ts'
import { parseDigest } from './digest.ts'
import { platformDistance, platformText } from './platform.ts'
import type { Descriptor, Platform } from './types.ts'
import { printable } from './validate.ts'

/** A manifest that an index leads to: the descriptors from the layout's index down to it. */
export type DescriptorPath = readonly [Descriptor, ...Descriptor[]]

/** A path from a document: at least one descriptor. @throws DIGEST_INVALID */
export function descriptorPath(
  written: readonly (Omit<Descriptor, 'digest'> & { digest: string })[]
): DescriptorPath {
  const path = written.map((descriptor) => ({
    ...descriptor,
    digest: parseDigest(descriptor.digest)
  }))
  return [path[0]!, ...path.slice(1)]
}

/**
 * The manifest for a platform among those of an index (image-spec image-index.md, platform). One without a platform
 * counts only if it is the only one; attestations never count.
 * @throws PLATFORM_NOT_FOUND or PLATFORM_AMBIGUOUS, both with what is available
 */
export function selectManifest(
  offered: readonly DescriptorPath[],
  wanted: Platform
): DescriptorPath {
  const images = distinct(
    offered.filter((path) => !isAttestation(target(path))),
    target
  )
  const [only, ...others] = images
  if (only !== undefined && others.length === 0 && pathPlatform(only) === undefined) return only
  const [best, ...rivals] = nearest(images, wanted)
  if (best === undefined) throw platformError('PLATFORM_NOT_FOUND', wanted, images)
  if (rivals.length > 0) throw platformError('PLATFORM_AMBIGUOUS', wanted, [best, ...rivals])
  return best
}

/** The platform of a path: that of its manifest, otherwise of the nearest index above it. */
export function pathPlatform(path: DescriptorPath): Platform | undefined {
  return path.findLast(({ platform }) => platform !== undefined)?.platform
}

/** The last descriptor of a path: the manifest. */
export function target(path: DescriptorPath): Descriptor {
  return path.at(-1) ?? path[0]
}

/** BuildKit stores provenance and SBOMs beside the images, as manifests that cannot be run. */
export function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest'
}

function nearest(paths: readonly DescriptorPath[], wanted: Platform): DescriptorPath[] {
  const distances = paths.flatMap((path) => {
    const platform = pathPlatform(path)
    const distance = platform === undefined ? undefined : platformDistance(wanted, platform)
    return distance === undefined ? [] : [{ path, distance }]
  })
  const least = Math.min(...distances.map(({ distance }) => distance))
  return distances.filter(({ distance }) => distance === least).map(({ path }) => path)
}

/** The items with different descriptors; the first of equal ones. */
export function distinct<T>(items: readonly T[], descriptor: (item: T) => Descriptor): T[] {
  const seen = new Set<string>()
  return items.filter((item) => seen.size < seen.add(descriptor(item).digest).size)
}

function platformError(
  code: Extract<ErrorCode, 'PLATFORM_NOT_FOUND' | 'PLATFORM_AMBIGUOUS'>,
  wanted: Platform,
  paths: readonly DescriptorPath[]
): OciUnpackError {
  const message =
    code === 'PLATFORM_NOT_FOUND'
      ? 'The image does not exist for this platform.'
      : 'Several manifests of the image fit this platform equally well.'
  return new OciUnpackError(code, message, {
    facts: { platform: platformText(wanted), available: printable(describe(paths, code)) },
    hint: 'Set {platform} to os/arch[/variant].'
  })
}

function describe(paths: readonly DescriptorPath[], code: ErrorCode): string {
  if (paths.length === 0) return 'no images'
  return paths
    .map((path) => {
      const platform = platformText(pathPlatform(path))
      return code === 'PLATFORM_AMBIGUOUS' ? `${platform} ${target(path).digest}` : platform
    })
    .join(', ')
}
