/** A bundle that an unpack made, ours or umoci's, opened for a comparison. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readMemory, readMetadata, type Memory, type ReadBundleFile } from '../bundle/bundle.ts'
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import type { BundleMetadata } from '../bundle/metadata.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openOperatorDirectory } from '../sys/files.ts'
import { assertStillShown } from './storage/shown-rootfs.ts'

export interface OpenBundle {
  /** Absolute. */
  path: string
  metadata: BundleMetadata
  /** What it remembers of its tree, read at each call. @throws BUNDLE_INVALID, MTREE_INVALID */
  memory: () => Memory
  /** Descriptor of the root file system. */
  rootfs: number
}

/** @throws BUNDLE_INVALID, SYSCALL_FAILED */
export async function withBundle<T>(
  bundle: string,
  act: (bundle: OpenBundle) => Promise<T>
): Promise<T> {
  const path = resolve(bundle)
  const read: ReadBundleFile = (name) => readIfRegular(join(path, name))
  const metadata = openMetadata(path, read)
  const rootfs = openRootfs(path)
  try {
    const memory = (): Memory => inBundle(path, () => readMemory(read, metadata))
    assertStillShown({ bundle: path, rootfs, memory })
    return await act({ path, metadata, rootfs, memory })
  } finally {
    close(rootfs)
  }
}

function openMetadata(path: string, read: ReadBundleFile): BundleMetadata {
  return inBundle(path, () => {
    const metadata = readMetadata(read)
    if (metadata.rootless) throw rootlessBundle()
    return metadata
  })
}

function inBundle<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw withFacts(error, { path })
  }
}

function openRootfs(path: string): number {
  const fd = openOperatorDirectory(fromText(path))
  try {
    return openDirectory(fd, ROOTFS_DIRECTORY)
  } catch (error) {
    throw isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP') ? noRootfs(path, error) : error
  } finally {
    close(fd)
  }
}

/** The content, or undefined where there is no regular file; a FIFO does not block. */
export function readIfRegular(path: string): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new OciUnpackError('BUNDLE_INVALID', 'A file of the bundle cannot be read.', {
      facts: { file: path, reason: (error as Error).message },
      cause: error
    })
  }
  try {
    return fstatSync(fd).isFile() ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

function noRootfs(path: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle has no root file system.', {
    facts: { path: join(path, ROOTFS_DIRECTORY) },
    hint: 'It must be a directory, not a link to one. Restore it, or unpack the image again.',
    cause
  })
}

function rootlessBundle(): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle was unpacked with --rootless.', {
    hint: 'Such bundles keep owners in attributes; repack it with umoci, or unpack the image as root.'
  })
}
