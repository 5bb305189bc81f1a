/** What a rewritten image has otherwise than its base for no wish of the user, but because it must be right. */
import { parseConfig } from '../../image/documents.ts'
import { platformText } from '../../image/platform.ts'
import type { RewrittenImage } from '../../image/rewrite.ts'
import { printable } from '../../image/validate.ts'
import { documentSource } from '../../store/manifests-in-index.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { EngineEvent } from '../operation/events.ts'

/** A warning about each repair. */
export function repairs(base: ResolvedImage, image: RewrittenImage): EngineEvent[] {
  if (image.blobs.length === 0) return []
  const { assumed, dropped } = image
  return [
    ...misfits(base).map(leftOut),
    ...(assumed === undefined ? [] : [assumedPlatform(platformText(assumed))]),
    ...dropped.map(outdated)
  ]
}

/** JSON pointers of fields of the config that are not what the specification says. */
function misfits({ rawConfig, manifest }: ResolvedImage): string[] {
  const pointers: string[] = []
  parseConfig(rawConfig, documentSource(manifest.config), (pointer) => pointers.push(pointer))
  return pointers
}

function leftOut(pointer: string): EngineEvent {
  return {
    type: 'warning',
    message: 'The old config has a field that cannot be right, and the new one does not keep it.',
    facts: { pointer: printable(pointer) }
  }
}

function assumedPlatform(platform: string): EngineEvent {
  return {
    type: 'warning',
    message:
      'The image did not say which platform it is for. It now names the one of this machine.',
    facts: { platform }
  }
}

function outdated(digest: string): EngineEvent {
  return {
    type: 'warning',
    message:
      'An attestation describes the image as it was, and is not part of the index with the changed one.',
    facts: { file: digest }
  }
}
