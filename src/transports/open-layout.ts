/** Opens layout directories. If there is an archive in place of one, the error says how to name it. */
import { OciUnpackError } from '../errors.ts'
import { openLayout, type Layout, type LayoutOptions } from '../store/layout.ts'

/** @throws LAYOUT_INVALID */
export async function openLayoutAt(path: string, options: LayoutOptions = {}): Promise<Layout> {
  try {
    return openLayout(path, options)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'LAYOUT_INVALID') throw error
    const { archiveKinds } = await import('./archive-kinds.ts')
    const names = archiveKinds(path).map((kind) => `${kind}:${path}`)
    throw names.length === 0 ? error : archiveInstead(error, names)
  }
}

function archiveInstead({ facts }: OciUnpackError, names: readonly string[]): OciUnpackError {
  return new OciUnpackError('LAYOUT_INVALID', 'The path is that of an archive, not of a layout.', {
    facts,
    hint: `The name of the archive is ${names.join(' or ')}. Images in archives can be read and copied.`
  })
}
