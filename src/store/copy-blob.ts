/** Copies blobs into layouts. */
import { closeSync } from 'node:fs'
import { cloneFile } from '../sys/copy.ts'
import { handlePath } from '../sys/handle-path.ts'
import type { FinalName, NewFile } from '../workspace/new-file.ts'
import { openBlob, type VerifiedBlob } from './blob.ts'
import type { BlobSource } from './blob-source.ts'
import { openRegular } from './file.ts'
import type { Workspace } from './layout-workspace.ts'
import type { Breathe } from './several.ts'

/**
 * `cloned`: the copy shares its blocks with the original. `present`: it is already there. `mounted`: a registry has it in
 * another repository, too, and took it from there.
 */
export type CopyOutcome = 'copied' | 'cloned' | 'present' | 'mounted'

export type Count = (bytes: number) => void

/**
 * Copies a blob into a layout and verifies it on the way; a clone is verified in its new place. A blob that is not as
 * expected never becomes visible. `pause` is called before each MiB and may throw; `count` gets the bytes of each piece
 * that was copied.
 * @throws BLOB_*, DIGEST_INVALID, SYSCALL_FAILED
 */
export async function copyBlob(
  workspace: Workspace,
  source: BlobSource,
  pause: Breathe,
  count: Count = () => undefined
): Promise<CopyOutcome> {
  const final = workspace.blobName(source.digest)
  if (isPresent(final, source.size)) return 'present'
  const blob = openBlob(source)
  const file = workspace.newFile()
  try {
    const outcome = await fill(file, blob, source, pause, count)
    file.publish(final)
    return outcome
  } finally {
    file.discard()
    blob.close()
  }
}

/** The bytes of a blob. They may be trusted once the loop has ended without an error. */
export async function* blobChunks(source: BlobSource, pause: Breathe): AsyncGenerator<Buffer> {
  const blob = openBlob(source)
  try {
    yield* verifiedChunks(blob, pause)
  } finally {
    blob.close()
  }
}

async function fill(
  file: NewFile,
  blob: VerifiedBlob,
  source: BlobSource,
  pause: Breathe,
  count: Count
): Promise<CopyOutcome> {
  const { digest, size } = source
  if (blob.fd !== undefined && cloneFile(blob.fd, file.fd)) {
    const clone = blobChunks({ digest, size, path: file.path }, pause)
    while ((await clone.next()).done !== true);
    return 'cloned'
  }
  for await (const chunk of verifiedChunks(blob, pause)) {
    file.write(chunk)
    count(chunk.length)
  }
  return 'copied'
}

async function* verifiedChunks(blob: VerifiedBlob, pause: Breathe): AsyncGenerator<Buffer> {
  const ready = async (): Promise<void> => {
    const arrived = blob.arrived()
    await pause(arrived)
    await arrived
  }
  await ready()
  for (let chunk = blob.read(); chunk !== undefined; chunk = blob.read()) {
    yield chunk
    await ready()
  }
  blob.verify()
}

function isPresent({ directory, name }: FinalName, size: number): boolean {
  const file = openRegular(`${handlePath(directory)}/${name}`, 'refused')
  if (typeof file === 'string') return false
  closeSync(file.fd)
  return file.size === size
}
