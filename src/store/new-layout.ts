/** Makes layouts, which appear as a whole. */
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import { indexBytes } from '../image/serialise.ts'
import { flush } from '../sys/durable.ts'
import { isErrno } from '../sys/failure.ts'
import { openDirectory } from '../sys/files.ts'
import { makeDirectories } from '../sys/make-directories.ts'
import { renameNew } from '../sys/names.ts'
import { openOrMakeDirectory, type OperatorDirectory } from '../sys/operator-directory.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { makeWay, type OnLeftover } from '../workspace/leftovers.ts'
import { createNewFile } from '../workspace/new-file.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../workspace/private-directory.ts'
import { privateName } from '../workspace/private-name.ts'
import { isThere } from './file.ts'
import { openLayout } from './layout.ts'
import { openWorkspace, openWorkspaceIn, type Workspace } from './layout-workspace.ts'

/** A layout to write into. A new one is made beside its path and gets its name at the end. */
export interface WritableLayout {
  readonly workspace: Workspace
  /** Where it can be read, until `discard`. */
  readonly path: string
  /** Makes a new layout visible. @throws LAYOUT_EXISTS if another process was faster */
  publish(): void
  /** Removes what is unfinished, including the whole of a new layout. May be called again, also after `publish`. */
  discard(): void
}

/**
 * Makes an empty layout (image-spec image-layout.md) and any missing directories above it. Returns its absolute path.
 * @throws LAYOUT_EXISTS if there is anything at the path; SYSCALL_FAILED, with nothing left behind
 */
export function createLayout(path: string): string {
  const root = resolve(path)
  if (isThere(root)) throw exists(root)
  const hidden = new HiddenLayout(root)
  try {
    hidden.publish()
  } finally {
    hidden.close()
  }
  return root
}

/** A layout that only this process uses, and that never gets another name. */
export interface PrivateLayout {
  /** Absolute. */
  path: string
  /** Removes it with everything in it. May be called again. */
  close(): void
}

/** Makes one where temporary files are. What a killed process has left there is removed by the next. */
export function makePrivateLayout(onLeftover: OnLeftover = () => undefined): PrivateLayout {
  const parent = openOrMakeDirectory(tmpdir())
  let directory: PrivateDirectory | undefined
  const close = (): void => {
    directory?.remove()
    parent.close()
  }
  try {
    makeWay(parent.fd, tmpdir(), onLeftover)
    directory = makePrivateDirectory(parent.fd, () => privateName('layout'), PRIVATE_MODE)
    const above = join(tmpdir(), display(directory.name))
    return { path: createLayout(join(above, 'layout')), close }
  } catch (error) {
    close()
    throw error
  }
}

/** `pause` as for `openWorkspace`. @throws LAYOUT_INVALID if there is something other than a layout, SYSCALL_FAILED */
export async function openOrCreateLayout(
  path: string,
  pause: () => Promise<void>,
  onLeftover?: OnLeftover
): Promise<WritableLayout> {
  const root = resolve(path)
  return isThere(root) ? existingLayout(root, pause) : newLayout(root, pause, onLeftover)
}

async function existingLayout(root: string, pause: () => Promise<void>): Promise<WritableLayout> {
  const workspace = await openWorkspace(openLayout(root).path, pause)
  const close = (): void => workspace.close()
  return { workspace, path: root, publish: close, discard: close }
}

async function newLayout(
  root: string,
  pause: () => Promise<void>,
  onLeftover: OnLeftover | undefined
): Promise<WritableLayout> {
  const hidden = new HiddenLayout(root, onLeftover)
  try {
    const workspace = await openWorkspaceIn(hidden.openAgain(), pause, true)
    return {
      workspace,
      path: hidden.path,
      publish() {
        workspace.close()
        hidden.publish()
      },
      discard() {
        workspace.close()
        hidden.close()
      }
    }
  } catch (error) {
    hidden.close()
    throw error
  }
}

/** A layout that is still invisible, and the directories that were made for it. */
class HiddenLayout {
  private readonly root: string
  private readonly parent: OperatorDirectory
  private readonly directory: PrivateDirectory
  private isPublished = false
  private isOpen = true

  constructor(root: string, onLeftover: OnLeftover = () => undefined) {
    this.root = root
    this.parent = openOrMakeDirectory(dirname(root))
    try {
      makeWay(this.parent.fd, dirname(root), onLeftover)
      this.directory = makeFilled(this.parent.fd, basename(root))
    } catch (error) {
      this.parent.removeNew()
      this.parent.close()
      throw error
    }
  }

  /** Leads through its handle. */
  get path(): string {
    return this.directory.path
  }

  /** Another descriptor of the layout, which the caller closes. */
  openAgain(): number {
    return openDirectory(this.directory.fd, '.')
  }

  publish(): void {
    try {
      renameNew(this.parent.fd, this.directory.name, this.parent.fd, fromText(basename(this.root)))
    } catch (error) {
      throw isErrno(error, 'EEXIST') ? exists(this.root) : error
    }
    this.isPublished = true
    flush(this.parent.fd)
  }

  /** Removes nothing once it is published. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    try {
      this.directory.remove()
    } catch {
      // the next process that makes something here will remove it
    }
    if (!this.isPublished) this.parent.removeNew()
    this.parent.close()
  }
}

function makeFilled(parent: number, becomes: string): PrivateDirectory {
  const directory = makePrivateDirectory(parent, () => privateName(becomes), 0o777)
  try {
    fill(directory)
    return directory
  } catch (error) {
    directory.remove()
    throw error
  }
}

const EMPTY_INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } as const

function fill({ fd, path }: PrivateDirectory): void {
  makeDirectories(`${path}/blobs/sha256`)
  write(fd, 'index.json', indexBytes(EMPTY_INDEX))
  write(fd, 'oci-layout', layoutFileBytes())
}

/** The file `oci-layout` (image-spec image-layout.md), as umoci writes it. */
export function layoutFileBytes(): Buffer {
  return Buffer.from('{"imageLayoutVersion":"1.0.0"}\n')
}

function write(directory: number, name: string, bytes: Buffer): void {
  const file = createNewFile(directory, privateName(name))
  try {
    file.write(bytes)
    file.publish({ directory, name, replaces: false })
  } finally {
    file.discard()
  }
}

function exists(path: string): OciUnpackError {
  return new OciUnpackError(
    'LAYOUT_EXISTS',
    'Something already exists at the path of the layout.',
    {
      facts: { path },
      hint: 'Choose another path, or remove what is there. An existing layout can be used as it is.'
    }
  )
}
