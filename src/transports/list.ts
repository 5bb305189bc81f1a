/** All transports. A new one needs a file of its own, and its name and value here. */
import { dockerArchive, type DockerArchiveName } from './docker-archive.ts'
import { ociArchive, type OciArchiveName } from './oci-archive.ts'
import { oci, type OciName } from './oci.ts'
import type { ImageTransport } from './transport.ts'

/** The name of an image somewhere: one shape for each transport, told apart by `transport`. */
export type ImageName = OciName | OciArchiveName | DockerArchiveName

/** In the order in which usage texts list them. */
export const TRANSPORTS: readonly ImageTransport<ImageName>[] = [oci, ociArchive, dockerArchive]

/** The transport of a name that does not give one. */
export const DEFAULT_TRANSPORT: ImageTransport<ImageName> = oci

export function transportOf(name: ImageName): ImageTransport<ImageName> {
  return TRANSPORTS.find((transport) => transport.name === name.transport)!
}
