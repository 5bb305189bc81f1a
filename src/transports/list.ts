/** All transports. A new one needs a file of its own, and its name and value here. */
import type { ImagePlace } from '../image/image-place.ts'
import { docker, type DockerName } from './docker.ts'
import { dockerArchive, type DockerArchiveName } from './docker-archive.ts'
import { ociArchive, type OciArchiveName } from './oci-archive.ts'
import { oci, type OciName } from './oci.ts'
import { tar, type TarName } from './tar.ts'
import type { ImageTransport } from './transport.ts'

/** The name of an image somewhere: one shape for each transport, told apart by `transport`. */
export type ImageName = OciName | OciArchiveName | DockerArchiveName | TarName | DockerName

/** In the order in which usage texts list them. */
export const TRANSPORTS: readonly ImageTransport<ImageName>[] = [
  oci,
  ociArchive,
  dockerArchive,
  tar,
  docker
]

/** The transport of a name that does not give one. */
export const DEFAULT_TRANSPORT: ImageTransport<ImageName> = oci

export function transportOf(name: ImageName): ImageTransport<ImageName> {
  return TRANSPORTS.find((transport) => transport.name === name.transport)!
}

/**
 * The image with a digest at a place that a bundle remembers. Undefined if a later version made the bundle, which knows
 * more transports.
 */
export function imageAt({ transport, path }: ImagePlace, digest: string): ImageName | undefined {
  const known = TRANSPORTS.find(({ name }) => name === transport)
  return known && { transport: known.name, path, tag: `@${digest}` }
}
