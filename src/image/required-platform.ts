/** Which platform a config names that must name one. */
import { pathPlatform, type DescriptorPath } from './choice.ts'
import { hostPlatform, platformOf } from './platform.ts'
import type { ImageConfig, Platform } from './types.ts'

/**
 * Image-spec config.md: os and architecture are required. If only an index names them, they are those; if nothing does,
 * the image was taken for one of this machine so far, which is then `assumed`.
 */
export function withPlatform(
  config: ImageConfig,
  path: DescriptorPath
): { config: ImageConfig; assumed: Platform | undefined } {
  if (config.os !== '' && config.architecture !== '') return { config, assumed: undefined }
  const host = hostPlatform()
  const named = pathPlatform(path) ?? { os: '', architecture: '' }
  const like = named.architecture === '' ? host : named
  const os = firstNamed(config.os, named.os, host.os)
  const architecture = firstNamed(config.architecture, like.architecture)
  const variant = config.architecture === '' ? like.variant : config.variant
  const whole = { ...config, os, architecture, ...(variant === undefined ? {} : { variant }) }
  const isKnown =
    firstNamed(config.os, named.os) !== '' &&
    firstNamed(config.architecture, named.architecture) !== ''
  return { config: whole, assumed: isKnown ? undefined : platformOf(whole) }
}

function firstNamed(...names: readonly string[]): string {
  return names.find((name) => name !== '') ?? ''
}
