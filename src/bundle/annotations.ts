/** The annotations of config.json, which come from the image's config. */
import type { ImageConfig } from './image-config.ts'
import { sortKeys } from './json.ts'

/**
 * Image-spec conversion.md, "Annotation Fields": the image's fields, then its labels, which win. Fields that the image
 * does not have are left out. Keys are sorted, values unchanged.
 */
export function imageAnnotations(image: ImageConfig): Record<string, string> {
  const { config } = image
  return sortKeys({
    ...annotate('os', image.os),
    ...annotate('os.version', image['os.version']),
    ...annotate('os.features', image['os.features']?.join(',')),
    ...annotate('architecture', image.architecture),
    ...annotate('variant', image.variant),
    ...annotate('author', image.author),
    ...annotate('created', image.created),
    ...annotate('stopSignal', config?.StopSignal),
    ...annotate(
      'exposedPorts',
      Object.keys(config?.ExposedPorts ?? {})
        .sort()
        .join(',')
    ),
    ...config?.Labels
  })
}

function annotate(name: string, value: string | null | undefined): Record<string, string> {
  return value ? { [`org.opencontainers.image.${name}`]: value } : {}
}
