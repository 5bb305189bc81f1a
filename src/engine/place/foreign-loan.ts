/** Modes that another user's killed command has changed, and that only this user's next command puts back. */
import { display, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { listDirectory } from '../../sys/directory.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { holdsLedger } from '../../sys/ledger.ts'
import { status } from '../../sys/status.ts'
import { isMarked } from '../../workspace/mark.ts'
import { isLasting } from '../../workspace/private-name.ts'

/**
 * Changed modes would count as changes of the tree. Another user's workspace is not obeyed, not even by root.
 * @param path of the directory @throws BUNDLE_BUSY
 */
export function assertNoForeignLoan(directory: number, path: string): void {
  const own = process.geteuid!()
  for (const name of listDirectory(directory)) {
    if (!isLasting(name)) continue
    const { type, uid } = status(directory, name)
    if (type === 'directory' && uid !== own && holdsLoan(directory, name))
      throw foreignLoan(path, name, uid)
  }
}

/** What cannot be opened belongs to somebody whose files cannot be read either. */
function holdsLoan(directory: number, name: ByteString): boolean {
  let fd: number
  try {
    fd = openDirectory(directory, name)
  } catch {
    return false
  }
  try {
    return isMarked(fd) && holdsLedger(fd)
  } finally {
    close(fd)
  }
}

function foreignLoan(path: string, name: ByteString, uid: number): OciUnpackError {
  return new OciUnpackError(
    'BUNDLE_BUSY',
    'Another user has changed modes in the bundle for a while.',
    {
      facts: { path: `${path}/${display(name)}`, found: `user ${uid}` },
      hint: 'Wait until that command ends. If it was killed, let the user run `oci-unpack diff` on the bundle: this puts the modes back.'
    }
  )
}
