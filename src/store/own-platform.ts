/** Asks an image about its platform, where the index does not say. */
import { OciUnpackError } from '../errors.ts'
import type { OwnPlatform } from '../image/choice.ts'
import { parseManifest } from '../image/documents.ts'
import { parseJson, type Json } from '../image/json.ts'
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor, ImageManifest, Platform } from '../image/types.ts'
import type { ImageSource } from './image-source.ts'
import { documentSource } from './manifests-in-index.ts'

/** Never fails: whoever reads the image will say what is wrong with it. */
export function ownPlatform(source: ImageSource, descriptor: Descriptor): OwnPlatform {
  try {
    const manifest = parseManifest(source.readDocument(descriptor), documentSource(descriptor))
    return isImage(manifest)
      ? platformIn(parseJson(source.readDocument(manifest.config)))
      : undefined
  } catch (error) {
    if (error instanceof OciUnpackError || error instanceof SyntaxError) return 'any'
    throw error
  }
}

function isImage({ config, artifactType = '' }: ImageManifest): boolean {
  if (mediaKind(config.mediaType).kind !== 'config') return false
  return artifactType === '' || mediaKind(artifactType).kind === 'config'
}

/** Asks a config for nothing but its platform. */
function platformIn(config: Json): OwnPlatform {
  if (config === null || typeof config !== 'object') return 'any'
  const { os, architecture, variant } = config as Readonly<Record<keyof Platform, unknown>>
  if (typeof os !== 'string' || typeof architecture !== 'string') return 'any'
  if (os === '' || architecture === '') return 'any'
  return { os, architecture, ...(typeof variant === 'string' ? { variant } : {}) }
}
