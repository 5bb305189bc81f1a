/** What both kinds of workspaces have in common. */
import { OciUnpackError } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../../workspace/private-directory.ts'
import { privateName } from '../../workspace/private-name.ts'
import { shedInheritance } from './keep-times.ts'

/** A new private directory. @param becomes the name that it will get; `''` for none */
export function makeWorkspace(directory: number, becomes: string): PrivateDirectory {
  const made = makePrivateDirectory(directory, () => privateName(becomes), PRIVATE_MODE)
  try {
    shedInheritance(made.fd)
    return made
  } catch (error) {
    made.remove()
    throw error
  }
}

/** The error of a publication, told as what it means. */
export function taken(error: unknown, destination: string): unknown {
  if (!isErrno(error, 'EEXIST')) return error
  return new OciUnpackError('BUNDLE_EXISTS', 'Something appeared in the destination meanwhile.', {
    facts: { path: destination },
    hint: 'Another process was faster. Choose another destination, or look at what it made.',
    cause: error
  })
}
