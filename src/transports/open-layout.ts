/** Opens layout directories. If there is an archive in place of one, or nothing, the error says what may be meant. */
import { OciUnpackError } from '../errors.ts'
import { isThere } from '../store/file.ts'
import { openLayout, type Layout, type LayoutOptions } from '../store/layout.ts'

/** @param name the path and perhaps a tag, as the user wrote it @throws LAYOUT_INVALID */
export async function openLayoutAt(
  path: string,
  options: LayoutOptions = {},
  name: string = path
): Promise<Layout> {
  try {
    return openLayout(path, options)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'LAYOUT_INVALID') throw error
    if (!isThere(path)) throw await nothingThere(error, name)
    const { archiveKinds } = await import('./archive-kinds.ts')
    const names = archiveKinds(path).map((kind) => `${kind}:${path}`)
    throw names.length === 0 ? error : archiveInstead(error, names)
  }
}

async function nothingThere(error: OciUnpackError, name: string): Promise<OciUnpackError> {
  const { dockerHint } = await import('./without-docker.ts')
  const hint = dockerHint(name)
  if (hint === undefined) return error
  return new OciUnpackError(error.code, error.message, { facts: error.facts, hint })
}

function archiveInstead({ facts }: OciUnpackError, names: readonly string[]): OciUnpackError {
  return new OciUnpackError('LAYOUT_INVALID', 'The path is that of an archive, not of a layout.', {
    facts,
    hint: `The name of the archive is ${names.join(' or ')}. Images in archives can be read and copied.`
  })
}
