/** An image in a layout, and what is attached to it: manifests of one blob. */
import {
  buildImage,
  storeBlob,
  storeJson,
  type BuiltImage,
  type Descriptor
} from './image-builder.ts'
import { file, tar } from './tar-builder.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const REF_NAME = 'org.opencontainers.image.ref.name'

/** In a directory that may not exist yet. */
export function imageToAttachTo(layout: string): BuiltImage {
  return buildImage(layout, { layers: [tar(file('f', 'content'))] })
}

export interface Attachment {
  config: Descriptor
  /** Of the blob. */
  mediaType: string
  content: string
  /** Merged into the manifest. */
  manifest?: Record<string, unknown>
}

/** No index lists it yet. */
export function storeAttachment(
  layout: string,
  { config, mediaType, content, manifest }: Attachment
): Descriptor {
  return storeJson(layout, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: [storeBlob(layout, mediaType, Buffer.from(content))],
    ...manifest
  })
}

export type NamedEntry = Descriptor & { annotations: Record<string, string> }

/** What an index lists under a name. @param more annotations */
export function named(
  descriptor: Descriptor,
  name: string,
  more: Record<string, string> = {}
): NamedEntry {
  return { ...descriptor, annotations: { [REF_NAME]: name, ...more } }
}
