/** A blob that is not what its digest says is the cause of whatever else is wrong with it. */
import { OciUnpackError, withCause } from '../errors.ts'
import type { VerifiedBlob } from './blob.ts'

/**
 * The error to report for a failure to understand what a blob contains: its digest is finished first, and if that or the
 * size is wrong, this is the error, and the failure is its cause.
 */
export function blamedOn(blob: VerifiedBlob, failure: unknown): unknown {
  if (!isAboutContent(failure)) return failure
  try {
    blob.verify()
    return failure
  } catch (mismatch) {
    return withCause(mismatch, failure)
  }
}

/** A full disk or a registry says nothing about the blob, and a wrong size or digest has said everything. */
function isAboutContent(error: unknown): boolean {
  return (
    error instanceof OciUnpackError &&
    !/^(?:ABORTED|SYSCALL_FAILED|BLOB_\w+|REGISTRY_\w+)$/.test(error.code)
  )
}
