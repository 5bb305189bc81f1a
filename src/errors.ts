/**
 * Errors are part of the product: each has a stable code, a sentence, the facts, a hint and the cause. Expected
 * failures are `OciUnpackError`; anything else that is thrown is a bug in this program.
 */

/** What failed, as a stable name that scripts may compare. Grouped by the room that throws it. */
export type ErrorCode =
  // how we were called
  | 'USAGE'
  | 'ABORTED'
  | 'LIMIT_EXCEEDED'
  | 'CREDENTIALS_INVALID'
  | 'CREDENTIAL_HELPER_FAILED'
  | 'CERTIFICATES_INVALID'
  | 'REGISTRIES_CONF_INVALID'
  | 'REGISTRY_BLOCKED'
  // the image: layout, documents, choice
  | 'REFERENCE_INVALID'
  | 'LAYOUT_INVALID'
  | 'LAYOUT_EXISTS'
  | 'ARCHIVE_INVALID'
  | 'ARCHIVE_EXISTS'
  | 'TAG_NOT_FOUND'
  | 'TAG_AMBIGUOUS'
  | 'PLATFORM_NOT_FOUND'
  | 'DIGEST_INVALID'
  | 'DOCUMENT_INVALID'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'BLOB_NOT_FOUND'
  | 'BLOB_INVALID'
  | 'BLOB_SIZE_MISMATCH'
  | 'BLOB_DIGEST_MISMATCH'
  | 'DIFF_ID_MISMATCH'
  | 'IMAGE_DAMAGED'
  // registries
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_TLS'
  | 'REGISTRY_DENIED'
  | 'REGISTRY_BUSY'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_STALLED'
  | 'REGISTRY_ANSWER_INVALID'
  | 'REPOSITORY_NOT_FOUND'
  | 'MANIFEST_NOT_FOUND'
  // layers
  | 'COMPRESSION_INVALID'
  | 'DECOMPRESSOR_UNAVAILABLE'
  | 'DECOMPRESSOR_FAILED'
  | 'COMPRESSOR_UNAVAILABLE'
  | 'COMPRESSOR_FAILED'
  | 'TAR_INVALID'
  | 'ENTRY_INVALID'
  | 'PATH_NOT_FOUND'
  | 'PATH_INVALID'
  | 'INDEX_INVALID'
  // file systems as images
  | 'EROFS_INVALID'
  | 'MOUNT_FAILED'
  | 'VMDK_INVALID'
  // bundles
  | 'BUNDLE_EXISTS'
  | 'BUNDLE_INVALID'
  | 'BUNDLE_BUSY'
  | 'UPGRADE_CONFLICT'
  | 'TARGET_INVALID'
  | 'TARGET_BUSY'
  | 'TARGET_TOO_SMALL'
  | 'FILE_CHANGED'
  | 'CONFIG_UNSUPPORTED'
  | 'USER_NOT_FOUND'
  | 'MTREE_INVALID'
  | 'TREE_DIFFERS'
  | 'ID_NOT_MAPPED'
  // hooks
  | 'HOOKS_INVALID'
  | 'HOOKS_UNSAFE'
  | 'HOOK_FAILED'
  | 'HOOK_TIMEOUT'
  | 'HOOK_ANSWER_INVALID'
  // the kernel
  | 'USERNS_UNAVAILABLE'
  | 'SYSCALL_FAILED'
  | 'WORKER_DIED'

/** Where it failed. Printed in this order. Byte strings must have passed through `display()`. */
export const FACT_ORDER = [
  'image',
  'platform',
  'host',
  'repository',
  'blob',
  'request',
  'proxy',
  'file',
  'variable',
  'line',
  'pointer',
  'hooks',
  'hook',
  'layer',
  'entry',
  'offset',
  'path',
  'call',
  'expected',
  'found',
  'status',
  'reason',
  'available',
  'stderr'
] as const

export type FactName = (typeof FACT_ORDER)[number]
export type Facts = Readonly<Partial<Record<FactName, string | number>>>

export interface ErrorDetails {
  facts?: Facts
  /** What the reader can do about it, as a full sentence. It names options in braces: `Raise {limits.ratio}.` */
  hint?: string
  cause?: unknown
  /** For a failed call: the symbolic name of its error, such as `ENOSPC`. */
  errno?: string
}

export class OciUnpackError extends Error {
  override readonly name = 'OciUnpackError'
  readonly code: ErrorCode
  readonly facts: Facts
  /** What the reader can do about it; options have their names in the library. */
  readonly hint: string | undefined
  /** For SYSCALL_FAILED: the symbolic name of the error, such as `ENOSPC`. */
  readonly errno: string | undefined
  private readonly template: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.facts = details.facts ?? {}
    this.errno = details.errno
    this.template = details.hint
    this.hint = this.hintWith((option) => option)
  }

  /** The hint for readers who know the options by other names, such as flags. */
  hintWith(nameOf: (option: string) => string): string | undefined {
    return this.template?.replaceAll(OPTION, (_, option: string) => nameOf(option))
  }
}

/** An option in a hint: `{jobs}`, `{limits.ratio}` or, for one to omit, `{hooks: undefined}`. */
const OPTION = /\{([a-z]\w*(?:\.\w+)*(?:: undefined)?)\}/gi

/** The original hint, for an error that is made from this one. */
function hintAsWritten(error: OciUnpackError): string | undefined {
  return error.hintWith((option) => `{${option}}`)
}

/** The error of an operation that its caller stopped; `cause` is the reason of an AbortSignal. */
export function aborted(cause?: unknown): OciUnpackError {
  const details = cause === undefined ? {} : { cause }
  return new OciUnpackError('ABORTED', 'The operation was stopped.', details)
}

/**
 * The same error with facts that only the caller knows (which image, which layer). Facts that are closer to the failure
 * win. Other errors are returned unchanged.
 */
export function withFacts(error: unknown, facts: Facts): unknown {
  if (!(error instanceof OciUnpackError)) return error
  return rebuilt(error, { facts: { ...facts, ...error.facts } })
}

/** The same error with another path than that of the failed call. Other errors are returned unchanged. */
export function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof OciUnpackError)) return error
  return rebuilt(error, { facts: { ...error.facts, path } })
}

function rebuilt(error: OciUnpackError, changed: ErrorDetails): OciUnpackError {
  const hint = hintAsWritten(error)
  const copy = new OciUnpackError(error.code, error.message, {
    facts: error.facts,
    ...(hint === undefined ? {} : { hint }),
    ...(error.errno === undefined ? {} : { errno: error.errno }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    ...changed
  })
  if (error.stack !== undefined) copy.stack = error.stack
  return copy
}

/** The same error with what it was found by. Other errors are returned unchanged. */
export function withCause(error: unknown, cause: unknown): unknown {
  return error instanceof OciUnpackError ? rebuilt(error, { cause }) : error
}

/** The same error with a hint if it has none. Other errors are returned unchanged. */
export function withHint(error: unknown, hint: string): unknown {
  if (!(error instanceof OciUnpackError) || error.hint !== undefined) return error
  return rebuilt(error, { hint })
}

/** An error as plain data, to send it from one thread to another. */
export interface ErrorRecord {
  code: ErrorCode | undefined
  message: string
  facts: Facts
  /** With options in braces. */
  hint: string | undefined
  errno: string | undefined
  stack: string | undefined
  cause: ErrorRecord | undefined
}

export function toErrorRecord(error: unknown): ErrorRecord {
  const known = error instanceof OciUnpackError ? error : undefined
  const plain = error instanceof Error ? error : new Error(String(error))
  return {
    code: known?.code,
    message: plain.message,
    facts: known?.facts ?? {},
    hint: known && hintAsWritten(known),
    errno: known?.errno,
    stack: plain.stack,
    cause: plain.cause === undefined ? undefined : toErrorRecord(plain.cause)
  }
}

export function fromErrorRecord(record: ErrorRecord): Error {
  const cause = record.cause === undefined ? {} : { cause: fromErrorRecord(record.cause) }
  const error =
    record.code === undefined
      ? new Error(record.message, cause)
      : new OciUnpackError(record.code, record.message, {
          facts: record.facts,
          ...(record.hint === undefined ? {} : { hint: record.hint }),
          ...(record.errno === undefined ? {} : { errno: record.errno }),
          ...cause
        })
  if (record.stack !== undefined) error.stack = record.stack
  return error
}
