/** The directory that one layer is written to, empty at first. */
import { fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { listDirectory } from '../../sys/directory.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { layerStaging, layerTrash, type PlanRoot } from './plan-root.ts'
import { privateName } from '../../workspace/private-name.ts'
import { shedInheritance } from '../place/keep-times.ts'

/** The directory of one layer. Its staging is inside, so that objects only need to be renamed. */
export interface LayerDirectory extends PlanRoot {
  readonly layer: number
}

/**
 * Prepares an empty directory for staging a layer in it. It is closed to other users until the layer is complete; after
 * a failure, the caller must remove it. The caller closes `fd`.
 * @throws TARGET_INVALID, SYSCALL_FAILED
 */
export function openLayerDirectory(path: string, layer: number): LayerDirectory {
  const fd = openOperatorDirectory(fromText(path))
  try {
    return prepare({ fd, path, staging: privateName(''), layer })
  } catch (error) {
    close(fd)
    throw error
  }
}

function prepare(directory: LayerDirectory): LayerDirectory {
  const { fd, path, staging, layer } = directory
  if (listDirectory(fd).length > 0) throw notEmpty(path)
  shedInheritance(fd)
  makeDirectory(fd, staging, PRIVATE_MODE)
  makeDirectory(fd, layerStaging(directory, layer), PRIVATE_MODE)
  makeDirectory(fd, layerTrash(directory), PRIVATE_MODE)
  return directory
}

/** @throws TARGET_INVALID, SYSCALL_FAILED */
export function assertEmpty(path: string): void {
  const fd = openOperatorDirectory(fromText(path))
  try {
    if (listDirectory(fd).length > 0) throw notEmpty(path)
  } finally {
    close(fd)
  }
}

function notEmpty(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'The directory for a layer is not empty.', {
    facts: { path },
    hint: 'A new layer needs an empty directory, since existing files would show in the image.'
  })
}
