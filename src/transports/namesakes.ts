/**
 * Layout directories with the name of a transport. In scripts for umoci, `oci:TAG` is a tag in the directory `oci`, which
 * stacker makes by default.
 */
import { parseTag } from '../image/tag.ts'
import { entriesNamed } from '../image/tags.ts'
import { isFile, isThere } from '../store/file.ts'
import type { OnWarning } from '../store/image-source.ts'
import { looksLikeLayout, openLayout } from '../store/layout.ts'
import { DEFAULT_TRANSPORT, type ImageName } from './list.ts'
import type { ImageTransport } from './transport.ts'

/** What a name is for: an image to read or change, a new image, or everything at a place. */
export type Use = 'read' | 'write' | 'place'

/**
 * The text as a tag in a layout directory that has the name of the transport. Undefined if the text means what it seems
 * to: there is no such directory, or there is something at the place. If both can be meant, there is a warning.
 */
export function tagInNamesake(
  text: string,
  transport: ImageTransport<ImageName>,
  use: Use,
  onWarning: OnWarning
): ImageName | undefined {
  if (!isTrue(() => looksLikeLayout(transport.name))) return undefined
  const inDirectory = attempt(() => DEFAULT_TRANSPORT.parse(text))
  if (inDirectory === undefined || (use === 'write' && !isNewTag(inDirectory))) return undefined
  const atPlace = attempt(() => transport.parse(text.slice(transport.name.length + 1)))
  if (atPlace === undefined) return inDirectory
  if (!isImagePlace(atPlace, transport)) {
    if (use === 'write' && isTrue(() => !isThere(atPlace.path)))
      onWarning('The name was read as a tag in a directory, but could also be a new place.', {
        found: text,
        available: `${transport.name}:./${atPlace.path}`
      })
    return inDirectory
  }
  if (use === 'write' || isTrue(() => hasImage(inDirectory)))
    onWarning(
      'The name was read as a transport and a path, but could also be a tag in a directory.',
      {
        found: text,
        available: `./${text}`
      }
    )
  return undefined
}

function isNewTag({ tag }: ImageName): boolean {
  return tag !== undefined && isTrue(() => parseTag(tag) === tag)
}

function isImagePlace({ path }: ImageName, { holder }: ImageTransport<ImageName>): boolean {
  if (holder === 'registry') return true
  return isTrue(() => (holder === 'file' ? isFile(path) : looksLikeLayout(path)))
}

function hasImage({ path, tag }: ImageName): boolean {
  return tag !== undefined && entriesNamed(openLayout(path).readIndex(), tag).length > 0
}

/** If it cannot be found out, whoever opens the place will say why. */
function isTrue(question: () => boolean): boolean {
  return attempt(question) === true
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
