import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import { indexBytes } from '../image/serialise.ts'
import { attempt } from './file.ts'
import { openLayout } from './layout.ts'
import { flushDirectory } from './new-file.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

/** A layout to write into. One that was not there is made beside its path and gets its name at the end. */
export interface WritableLayout {
  readonly workspace: Workspace
  /** Ends the work: a new layout can be seen now. Throws LAYOUT_EXISTS where another was faster. */
  publish(): void
  /** Removes what is not finished; a new layout altogether. May be called again, also after `publish`. */
  discard(): void
}

/**
 * Makes an empty layout (image-spec image-layout.md) and the directories above it that are missing. Gives its
 * absolute path. Throws LAYOUT_EXISTS where there is anything at the path; SYSCALL_FAILED with nothing left behind.
 */
export function createLayout(path: string): string {
  const root = resolve(path)
  if (isThere(root)) throw exists(root)
  const hidden = makeHidden(root)
  try {
    hidden.publish()
  } finally {
    hidden.remove()
  }
  return root
}

/** `pause` as for `openWorkspace`. Throws LAYOUT_INVALID for what is there and no layout, SYSCALL_FAILED. */
export async function openOrCreateLayout(
  path: string,
  pause: () => Promise<void>
): Promise<WritableLayout> {
  const root = resolve(path)
  return isThere(root) ? existingLayout(root, pause) : newLayout(root, pause)
}

async function existingLayout(root: string, pause: () => Promise<void>): Promise<WritableLayout> {
  const workspace = await openWorkspace(openLayout(root).path, pause)
  const close = (): void => workspace.close()
  return { workspace, publish: close, discard: close }
}

async function newLayout(root: string, pause: () => Promise<void>): Promise<WritableLayout> {
  const hidden = makeHidden(root)
  try {
    const workspace = await openWorkspace(hidden.path, pause)
    return {
      workspace,
      publish() {
        workspace.close()
        hidden.publish()
      },
      discard() {
        workspace.close()
        hidden.remove()
      }
    }
  } catch (error) {
    hidden.remove()
    throw error
  }
}

/** A layout that nobody sees yet, and the directories that were made for it. */
interface HiddenLayout {
  readonly path: string
  publish(): void
  /** Nothing is removed once it is published. */
  remove(): void
}

function makeHidden(root: string): HiddenLayout {
  const parent = dirname(root)
  const firstParent = attempt('mkdir', parent, () => mkdirSync(parent, { recursive: true }))
  const path = hiddenName(root)
  let published = false
  const remove = (): void => {
    if (published) return
    rmSync(path, { recursive: true, force: true })
    removeParents(parent, firstParent)
  }
  try {
    attempt('mkdir', path, () => fill(path))
  } catch (error) {
    remove()
    throw error
  }
  const publish = (): void => {
    rename(path, root)
    published = true
    flushDirectory(parent)
  }
  return { path, publish, remove }
}

/** A name beside `path`, for what becomes it. */
export function hiddenName(path: string): string {
  return join(dirname(path), `.oci-unpack-${randomBytes(6).toString('hex')}`)
}

const EMPTY_INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } as const

function fill(path: string): void {
  mkdirSync(join(path, 'blobs', 'sha256'), { recursive: true })
  write(join(path, 'index.json'), indexBytes(EMPTY_INDEX))
  write(join(path, 'oci-layout'), layoutFileBytes())
  flushDirectory(path)
}

/** The file `oci-layout` (image-spec image-layout.md), as umoci writes it. */
export function layoutFileBytes(): Buffer {
  return Buffer.from('{"imageLayoutVersion":"1.0.0"}\n')
}

function write(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes, { flag: 'wx', flush: true })
}

/** rename(2) replaces no directory that holds something, and no file. */
function rename(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') throw exists(to)
    attempt('rename', to, () => {
      throw error
    })
  }
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

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function exists(path: string): OciUnpackError {
  return new OciUnpackError('LAYOUT_EXISTS', 'There is something at the path of the layout.', {
    facts: { path },
    hint: 'Choose another path, or remove what is there; an existing layout needs no init.'
  })
}
