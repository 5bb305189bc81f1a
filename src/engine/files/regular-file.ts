/** Paths in an image as callers give them, and the regular file that one of them leads to. */
import { display, fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Inode } from '../../plan/tree.ts'
import type { FoundFile } from './find-files.ts'

/** A path in the image. @throws USAGE if it is empty, which would mean the root by accident, or not a path at all */
export function bytesOf(path: string | Uint8Array): ByteString {
  if (typeof path !== 'string' && !((path as unknown) instanceof Uint8Array))
    throw new OciUnpackError('USAGE', 'A path must be text or bytes.', {
      facts: { found: typeof path }
    })
  if (path.length === 0)
    throw new OciUnpackError('USAGE', 'A path in the image is empty.', {
      hint: 'Give / for the root of the image.'
    })
  return typeof path === 'string' ? fromText(path) : Buffer.from(path).toString('latin1')
}

/** What `requireOptions` expects of the option `path`. */
export function kindOfPath(options: { path?: string | Uint8Array } | undefined): 'text' | 'object' {
  return options?.path instanceof Uint8Array ? 'object' : 'text'
}

/** @throws PATH_INVALID if anything else was found */
export function regularFile(path: ByteString, { node }: FoundFile): Inode {
  const type = node.kind === 'directory' ? 'directory' : node.inode.type
  if (node.kind === 'leaf' && type === 'file') return node.inode
  throw new OciUnpackError('PATH_INVALID', 'Only a regular file has content.', {
    facts: { entry: display(path), expected: 'file', found: type }
  })
}
