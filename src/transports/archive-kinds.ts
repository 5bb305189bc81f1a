/** Finds out which kind of archive a file is. */
import { readMembers } from '../archive/members.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { isFile } from '../store/file.ts'

type Kind = 'docker-archive' | 'oci-archive'

/** A file that only this kind of archive has. Newer versions of `docker save` write both. */
const KINDS: readonly (readonly [Kind, string])[] = [
  ['docker-archive', 'manifest.json'],
  ['oci-archive', 'index.json']
]

/** The kinds that the file can be read as: none if it is not an archive of images. */
export function archiveKinds(path: string): Kind[] {
  try {
    if (!isFile(path)) return []
    const { byName } = readMembers(path)
    return KINDS.filter(([, member]) => byName.has(fromText(member))).map(([kind]) => kind)
  } catch (error) {
    if (error instanceof OciUnpackError) return []
    throw error
  }
}
