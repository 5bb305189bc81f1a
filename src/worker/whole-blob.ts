/** A blob that is not what its digest says is the cause of whatever else is wrong with it. */
import { OciUnpackError, withCause } from '../errors.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import type { Control } from './control.ts'

/**
 * Runs `act` with the blob, verifies all of it and closes it. If `act` fails because of what it read, the digest is
 * finished first, and a mismatch is the error, with the failure as its cause.
 * @throws BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, and what `act` throws
 */
export async function withWholeBlob(
  blob: VerifiedBlob,
  control: Pick<Control, 'aborted'>,
  act: (blob: VerifiedBlob) => Promise<void>
): Promise<void> {
  try {
    await act(blob)
    blob.verify()
  } catch (error) {
    if (isAboutContent(error) && !control.aborted()) verifyFirst(blob, error)
    throw error
  } finally {
    blob.close()
  }
}

/** A full disk says nothing about the blob, and a wrong size or digest has said everything. */
function isAboutContent(error: unknown): boolean {
  return (
    error instanceof OciUnpackError && !/^(?:ABORTED|SYSCALL_FAILED|BLOB_\w+)$/.test(error.code)
  )
}

function verifyFirst(blob: VerifiedBlob, failure: unknown): void {
  try {
    blob.verify()
  } catch (mismatch) {
    throw withCause(mismatch, failure)
  }
}
