/** The private directory in which the files of a layout are written before they get their names. */
import { randomBytes } from 'node:crypto'
import type { ByteString } from '../bytes.ts'
import { digestAlgorithm, digestHex, type Digest, type DigestAlgorithm } from '../image/digest.ts'
import { openDestination } from '../sys/destination.ts'
import { close } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { status } from '../sys/status.ts'
import { isUnknownOwner } from '../sys/user-namespace.ts'
import { listLeftovers, removeLeftover, type LeftoverKind } from '../workspace/leftovers.ts'
import { createNewFile, type FinalName, type NewFile, type Owner } from '../workspace/new-file.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../workspace/private-directory.ts'
import { openBlobsDirectory } from './blobs-directory.ts'
import { VERSION_FILE } from './layout.ts'
import { useBlobs, type Hold } from './blobs-lock.ts'

/**
 * A private directory inside a layout, for unfinished files. umoci's garbage collection removes every `.umoci-*`
 * directory whose flock(2) it can take. So ours has such a name and is locked while it is in use: after a crash, any
 * `umoci gc` tidies up. While it is open, the blobs of the layout are in use.
 */
export interface Workspace {
  /** The layout: descriptor, and a path that leads through it. */
  readonly layout: number
  readonly layoutPath: string
  /** Leads through the handle of the workspace. */
  readonly path: string
  /** Whether the layout is still invisible, and locked as a whole by the process that makes it. */
  readonly isHidden: boolean
  newFile(): NewFile
  /** The place for a blob, in a directory that exists. @throws DIGEST_INVALID, SYSCALL_FAILED */
  blobName(digest: Digest): FinalName
  indexName(): FinalName
  versionName(): FinalName
  /** Removes the directory and everything in it. May be called again. */
  close(): void
}

const PREFIX = '.umoci-'

/**
 * Waits while a garbage collection runs; `pause` is awaited meanwhile, and can throw to give up.
 * @throws SYSCALL_FAILED if the layout cannot be written to
 */
export async function openWorkspace(
  layoutPath: string,
  pause: () => Promise<void>
): Promise<Workspace> {
  return openWorkspaceIn(openDestination(layoutPath), pause, false)
}

/** The same for an open layout. @param layout descriptor; closed with the workspace, or if this fails */
export async function openWorkspaceIn(
  layout: number,
  pause: () => Promise<void>,
  isHidden: boolean
): Promise<Workspace> {
  try {
    const use = await useBlobs(handlePath(layout), pause)
    try {
      const directory = makePrivateDirectory(layout, nextName, PRIVATE_MODE)
      return new LayoutWorkspace(layout, isHidden, directory, use)
    } catch (error) {
      use.release()
      throw error
    }
  } catch (error) {
    close(layout)
    throw error
  }
}

function nextName(): ByteString {
  return `${PREFIX}${randomBytes(6).toString('hex')}`
}

class LayoutWorkspace implements Workspace {
  readonly layout: number
  readonly layoutPath: string
  readonly path: string
  readonly isHidden: boolean
  private readonly directory: PrivateDirectory
  private readonly use: Hold
  private readonly blobs = new Map<DigestAlgorithm, number>()
  private files = 0
  private isOpen = true

  constructor(layout: number, isHidden: boolean, directory: PrivateDirectory, use: Hold) {
    this.isHidden = isHidden
    this.layout = layout
    this.layoutPath = handlePath(layout)
    this.path = directory.path
    this.directory = directory
    this.use = use
  }

  newFile(): NewFile {
    return createNewFile(this.directory.fd, String(this.files++))
  }

  blobName(digest: Digest): FinalName {
    return this.named(this.blobsOf(digestAlgorithm(digest)), digestHex(digest))
  }

  indexName(): FinalName {
    return this.named(this.layout, 'index.json')
  }

  versionName(): FinalName {
    return this.named(this.layout, VERSION_FILE)
  }

  private named(directory: number, name: string): FinalName {
    return { directory, name, replaces: true, owner: this.owner() }
  }

  /** Whatever root makes in a user's layout must belong to that user. */
  private owner(): Owner | undefined {
    if (process.geteuid!() !== 0) return undefined
    const owner = status(this.layout, '')
    return isUnknownOwner(owner.uid) ? undefined : owner
  }

  private blobsOf(algorithm: DigestAlgorithm): number {
    const known = this.blobs.get(algorithm)
    if (known !== undefined) return known
    const directory = openBlobsDirectory(this.layout, algorithm, this.owner())
    this.blobs.set(algorithm, directory)
    return directory
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    try {
      this.directory.remove()
    } catch {
      // the next garbage collection will remove it
    }
    for (const fd of this.blobs.values()) close(fd)
    this.use.release()
    close(this.layout)
  }
}

/** Workspaces of umoci too, whichever user made them. Files and links are never workspaces. */
const WORKSPACES: LeftoverKind = {
  isNamed: (name) => name.startsWith(PREFIX),
  isOurs: ({ type }) => type === 'directory'
}

/** The names of the workspaces in a layout, grouped by whether they are in use. @param layout descriptor */
export function listWorkspaces(layout: number): { live: string[]; abandoned: string[] } {
  return listLeftovers(layout, WORKSPACES)
}

/** Removes a workspace that is not in use. Returns whether it did. */
export function removeAbandoned(layout: number, name: string): boolean {
  return removeLeftover(layout, name, WORKSPACES)
}
