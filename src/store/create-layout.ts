import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import { indexBytes } from '../image/serialise.ts'
import { attempt } from './file.ts'
import { flushDirectory } from './new-file.ts'

/**
 * Makes an empty layout (image-spec image-layout.md) and the directories above it that are missing. `oci-layout`,
 * which makes it one, is written last. Gives the absolute path.
 * Throws LAYOUT_EXISTS where there is anything at the path; SYSCALL_FAILED with nothing left behind.
 */
export function createLayout(path: string): string {
  const root = resolve(path)
  const parent = dirname(root)
  const firstParent = attempt('mkdir', parent, () => mkdirSync(parent, { recursive: true }))
  try {
    makeDirectory(root)
    fill(root)
  } catch (error) {
    removeParents(parent, firstParent)
    throw error
  }
  return root
}

/** An exclusive mkdir: of two programs that make one layout, one fails. */
function makeDirectory(root: string): void {
  try {
    mkdirSync(root)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(root)
    attempt('mkdir', root, () => {
      throw error
    })
  }
}

function fill(root: string): void {
  try {
    attempt('write', root, () => {
      mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true })
      write(join(root, 'index.json'), indexBytes(EMPTY_INDEX))
      write(join(root, 'oci-layout'), Buffer.from('{"imageLayoutVersion":"1.0.0"}\n'))
    })
    flushDirectory(root)
    flushDirectory(dirname(root))
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    throw error
  }
}

const EMPTY_INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } as const

function write(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes, { flag: 'wx', flush: true })
}

function removeParents(deepest: string, first: string | undefined): void {
  for (let path = deepest; first !== undefined && path.startsWith(first); path = dirname(path)) {
    try {
      rmdirSync(path)
    } catch {
      return // somebody has put something there meanwhile
    }
  }
}

function exists(path: string): OciUnpackError {
  return new OciUnpackError('LAYOUT_EXISTS', 'There is something at the path of the layout.', {
    facts: { path },
    hint: 'Choose another path, or remove what is there; an existing layout needs no init.'
  })
}
