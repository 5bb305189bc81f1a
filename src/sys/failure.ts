/** Failed system calls, ours and Node's, shown as they would look in a trace. Loads no native code. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { withoutHandles } from './handle-path.ts'

const sentences: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use, or something is mounted there',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it already exists',
  EFBIG: 'the file would exceed the size limit',
  EINVAL: 'the kernel does not accept the value',
  EIO: 'input/output error',
  ELOOP: 'a symbolic link is in the way',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many open files in the system',
  ENOENT: 'it does not exist',
  ENOSPC: 'no space left on the device',
  ENOTBLK: 'it is not a block device',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  ENOTSUP: 'the file system does not support it',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ESTALE: 'it was moved or removed in the meantime',
  EXDEV: 'it is on another file system'
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space, or choose another file system.',
  EDQUOT: 'Free some space, or choose another file system.',
  ENFILE: 'Close files in other programs, or raise the limit fs.file-max.',
  EMFILE: 'Raise the limit with `ulimit -n`.',
  ENOTDIR: 'Choose a path on which everything before the last name is a directory.',
  EROFS: 'Choose a writable place.'
}

/** SYSCALL_FAILED, with the symbolic name of the error for callers that expect certain failures. */
export class SyscallError extends OciUnpackError {
  constructor(errno: string, call: string, path: string | undefined) {
    const shown = withoutHandles(call)
    const [sentence, hint] = meaningOf(errno, call)
    super('SYSCALL_FAILED', `The call ${shown} failed: ${sentence}.`, {
      facts: {
        call: `${shown} = ${errno}`,
        ...(path === undefined ? {} : { path: withoutHandles(path) })
      },
      ...(hint === undefined ? {} : { hint }),
      errno
    })
  }
}

function meaningOf(errno: string, call: string): [sentence: string, hint: string | undefined] {
  if (errno === 'ENOTDIR' && call.includes('O_DIRECTORY'))
    return ['it is not a directory', 'Choose a directory.']
  return [sentences[errno] ?? errno, hints[errno]]
}

/** Turns an error of node:fs for a path of the operator into the failed call; returns other errors unchanged. */
export function fromNode(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error
  if (error.syscall === 'uv_cwd') return nowhere()
  const path = 'path' in error ? String(error.path) : undefined
  const shown = path === undefined ? '' : `"${display(fromText(path))}"`
  return new SyscallError(String(error.code), `${String(error.syscall)}(${shown})`, path)
}

function nowhere(): OciUnpackError {
  return new OciUnpackError('SYSCALL_FAILED', 'The working directory was removed.', {
    facts: { call: 'getcwd() = ENOENT' },
    hint: 'Change to another directory, or use absolute paths.'
  })
}

export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof OciUnpackError && names.includes(error.errno ?? '')
}
