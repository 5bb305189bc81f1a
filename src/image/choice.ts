/** Chooses an image of an index by platform. */
import { OciUnpackError } from '../errors.ts'
import { parseDigest } from './digest.ts'
import { mediaKind } from './media-types.ts'
import { platformDistance, platformText } from './platform.ts'
import type { Descriptor, Platform } from './types.ts'
import { printable } from './validate.ts'

/** A manifest that an index leads to: the descriptors from the layout's index down to it. */
export type DescriptorPath = readonly [Descriptor, ...Descriptor[]]

/**
 * What a manifest and its config say about their platform: `any` if they say nothing or cannot be read, undefined if
 * they are not an image.
 */
export type OwnPlatform = Platform | 'any' | undefined

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
 * The manifest for a platform among those of an index (image-spec image-index.md, platform). Of several that fit equally
 * well, the first one is meant. An entry without a platform excludes nothing, so `ask` finds out what its config says;
 * if it is the only image, it is chosen whatever that is. Artifacts are never chosen.
 * @throws PLATFORM_NOT_FOUND with what is available
 */
export function selectManifest(
  offered: readonly DescriptorPath[],
  wanted: Platform,
  ask: (descriptor: Descriptor) => OwnPlatform
): DescriptorPath {
  const images = offered.filter((path) => !isArtifact(target(path)))
  const best = nearest(images, wanted, ask)
  if (best !== undefined) return best
  const known = images.flatMap((path) => withPlatform(path, ask))
  const [only, ...others] = distinct(known, ({ path }) => target(path))
  if (only !== undefined && others.length === 0 && pathPlatform(only.path) === undefined)
    return only.path
  throw notFound(
    wanted,
    known.map(({ platform }) => platform)
  )
}

/** The platform of a path: that of its manifest, otherwise of the nearest index above it. */
export function pathPlatform(path: DescriptorPath): Platform | undefined {
  return path.findLast(({ platform }) => platform !== undefined && isNamed(platform))?.platform
}

/** The last descriptor of a path: the manifest. */
export function target(path: DescriptorPath): Descriptor {
  return path.at(-1) ?? path[0]
}

/** BuildKit stores provenance and SBOMs beside the images, as manifests that cannot be run. */
export function isAttestation({ annotations }: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined
}

/**
 * Whether an entry of an index says that it is not an image: it attests something, or it has a type of its own (image-spec
 * descriptor.md, artifactType; that of an image is the type of its config).
 */
export function isArtifact(entry: Descriptor): boolean {
  const { artifactType = '', platform } = entry
  if (isAttestation(entry)) return true
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return true
  return artifactType !== '' && mediaKind(artifactType).kind !== 'config'
}

/** The items with different descriptors; the first of equal ones. */
export function distinct<T>(items: readonly T[], descriptor: (item: T) => Descriptor): T[] {
  const seen = new Set<string>()
  return items.filter((item) => seen.size < seen.add(descriptor(item).digest).size)
}

/** Nothing is asked about what comes after an exact match. */
function nearest(
  paths: readonly DescriptorPath[],
  wanted: Platform,
  ask: (descriptor: Descriptor) => OwnPlatform
): DescriptorPath | undefined {
  let best: { path: DescriptorPath; distance: number } | undefined
  for (const path of paths) {
    const platform = pathPlatform(path) ?? ask(target(path))
    const distance = distanceTo(wanted, platform)
    if (distance !== undefined && (best === undefined || distance < best.distance))
      best = { path, distance }
    if (distance === 0) break
  }
  return best?.path
}

function distanceTo(wanted: Platform, offered: OwnPlatform): number | undefined {
  if (offered === undefined) return undefined
  return offered === 'any' ? Infinity : platformDistance(wanted, offered)
}

/** Some tools write an empty platform where they know none. */
function isNamed({ os, architecture }: Platform): boolean {
  return os !== '' && architecture !== ''
}

function withPlatform(
  path: DescriptorPath,
  ask: (descriptor: Descriptor) => OwnPlatform
): { path: DescriptorPath; platform: Platform | 'any' }[] {
  const platform = pathPlatform(path) ?? ask(target(path))
  return platform === undefined ? [] : [{ path, platform }]
}

function notFound(wanted: Platform, offered: readonly (Platform | 'any')[]): OciUnpackError {
  const names = offered.map((platform) => platformText(platform === 'any' ? undefined : platform))
  return new OciUnpackError('PLATFORM_NOT_FOUND', 'The image does not exist for this platform.', {
    facts: {
      platform: platformText(wanted),
      available: names.length === 0 ? 'no images' : printable(names.join(', '))
    },
    hint:
      names.length === 0
        ? 'Nothing in the index is an image. It can be copied, but not unpacked.'
        : 'Set {platform} to os/arch[/variant].'
  })
}
