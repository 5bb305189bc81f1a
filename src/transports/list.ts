/** All transports there are. A new one needs its file, and its name and value here. */
import { dockerArchive, type DockerArchiveName } from './docker-archive.ts'
import { ociArchive, type OciArchiveName } from './oci-archive.ts'
import { oci, type OciName } from './oci.ts'
import type { ImageTransport } from './transport.ts'

/** The name of an image somewhere: one shape for each transport, told apart by `transport`. */
export type ImageName = OciName | OciArchiveName | DockerArchiveName

/** In the order in which usage texts show them. */
export const TRANSPORTS: readonly ImageTransport<ImageName>[] = [oci, ociArchive, dockerArchive]

/** What is meant where a name says no transport. */
export const DEFAULT_TRANSPORT: ImageTransport<ImageName> = oci

export function transportOf(name: ImageName): ImageTransport<ImageName> {
  return TRANSPORTS.find((transport) => transport.name === name.transport)!
}
