/**
 * Opens a directory below a root so that nothing in the path can lead out of it: symbolic links are not followed, and
 * `..` is refused. The kernel does this in one openat2(2) (Linux 5.6). If that call is missing or filtered, one
 * openat(2) for each component does the same.
 */
import type { ByteString } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { isErrno } from './failure.ts'
import { close, openDirectory } from './files.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, structure } from './memory.ts'

const O_DIRECTORY = 0o200000
const O_CLOEXEC = 0o2000000
const RESOLVE_FLAGS = 0x02 | 0x04 | 0x08 // NO_MAGICLINKS, NO_SYMLINKS, BENEATH
const OPEN_HOW_BYTES = 24

type BeneathBackend = 'openat2' | 'components'

let backend: BeneathBackend =
  process.env['OCI_UNPACK_NO_OPENAT2'] === '1' ? 'components' : 'openat2'

/**
 * A new descriptor of the directory at `path` (relative, cleaned, `''` for the root itself).
 * @throws SyscallError ELOOP or ENOTDIR when a component is not a directory, ENOENT when it is missing
 */
export function openBeneath(root: number, path: ByteString): number {
  if (path === '') return openDirectory(root, '.')
  if (backend === 'components') return openByComponents(root, path)
  try {
    return openByKernel(root, path)
  } catch (error) {
    if (!isErrno(error, 'ENOSYS', 'EPERM', 'E2BIG')) throw error
    backend = 'components'
    return openByComponents(root, path)
  }
}

export function openByKernel(root: number, path: ByteString): number {
  refuseUncleaned(path)
  const how = structure.view()
  how.fill(0, 0, OPEN_HOW_BYTES)
  how.writeUInt32LE(O_DIRECTORY | O_CLOEXEC, 0)
  how.writeUInt32LE(RESOLVE_FLAGS, 16)
  for (;;) {
    const fd = libc.openat2(root, firstPath.string(path), structure.address, OPEN_HOW_BYTES)
    if (fd >= 0) return fd
    const error = failed('openat2', path, 'RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS')
    // EAGAIN: a rename or mount raced with the walk, and the kernel asks us to try again
    if (error.errno !== 'EAGAIN') throw error
  }
}

export function openByComponents(root: number, path: ByteString): number {
  refuseUncleaned(path)
  let current = openDirectory(root, '.')
  for (const component of path.split('/')) {
    const parent = current
    try {
      current = openDirectory(parent, component)
    } finally {
      close(parent)
    }
  }
  return current
}

/** RESOLVE_BENEATH alone would allow a `..` that stays below the root. */
function refuseUncleaned(path: ByteString): void {
  if (!isCleaned(path)) throw new Error(`[internal] uncleaned path "${path}"`)
}

/** Whether a path is relative and has no empty component, no `.` and no `..`. */
export function isCleaned(path: ByteString): boolean {
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)
}
