/**
 * The symbolic link in a directory of bundles that leads to the one in use. It is replaced by a rename, so it leads to the old bundle or to
 * the new one at any time.
 *
 * While hooks are told of a new bundle, a second link remembers the old one. It is renamed back if they fail. If the process is killed, it
 * stays until the next selection, and keeps the old bundle from being pruned.
 */
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { listDirectory } from '../../sys/directory.ts'
import { flush } from '../../sys/durable.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import {
  makeSymlink,
  readSymlink,
  removeFile,
  removeFileIfThere,
  renameOver
} from '../../sys/names.ts'
import { statusIfThere } from '../../sys/status.ts'
import { awaitClaim } from '../../workspace/claim.ts'
import { isPrivateNameFor, privateName } from '../../workspace/private-name.ts'
import { pause } from '../operation/abort.ts'
import { isBundle } from './find-bundles.ts'

/**
 * Runs `act` while no other process changes which bundle of a directory is in use, or removes some that are not.
 * @param directory absolute path. @throws ABORTED, SYSCALL_FAILED
 */
export async function whileSettled<T>(
  directory: string,
  signal: AbortSignal | undefined,
  act: () => T | Promise<T>
): Promise<T> {
  const fd = openOperatorDirectory(fromText(directory))
  try {
    await awaitClaim(fd, 'exclusive', () => pause(signal))
    return await act()
  } finally {
    close(fd)
  }
}

/** Whether a link may have it. Those with a dot in front are for links of our own, whose names are longer. */
export function isUsableName(name: string): boolean {
  return /^[^./\0][^/\0]*$/.test(name) && Buffer.byteLength(name) <= LONGEST_NAME
}

const LONGEST_NAME = 200

/** To be used inside `whileSettled`. */
export class SelectingLink {
  private readonly directory: number
  private readonly name: string
  private readonly link: ByteString
  private readonly before: ByteString
  /** Whether this replaced the link, or made it. */
  private did: 'replace' | 'make' | undefined

  /** @param directory descriptor */
  constructor(directory: number, name: string) {
    this.directory = directory
    this.name = name
    this.link = fromText(name)
    this.before = fromText(beforeOf(name))
  }

  /**
   * The absolute path of the bundle that it leads to, or that it led to before a selection that was not finished; undefined if that is
   * `bundle` itself, or there is none. @throws TARGET_INVALID for anything that is not a link to a bundle
   */
  other(bundle: string): string | undefined {
    const selected = this.bundleAt(this.name)
    return selected === bundle ? this.bundleAt(beforeOf(this.name)) : selected
  }

  /** From now on, the link leads to the bundle beside it. */
  replace(bundle: string): void {
    this.removeLeftovers()
    const wanted = contentFor(bundle)
    const found = this.content()
    if (found === wanted) return
    if (found === undefined) removeFileIfThere(this.directory, this.before)
    else this.put(this.before, found)
    this.put(this.link, wanted)
    flush(this.directory)
    this.did = found === undefined ? 'make' : 'replace'
  }

  /** What `replace` did; nothing if another process has selected meanwhile. Returns whether it was undone. */
  undo(bundle: string): boolean {
    if (this.did === undefined || this.content() !== contentFor(bundle)) return false
    if (this.did === 'make') removeFile(this.directory, this.link)
    else renameOver(this.directory, this.before, this.directory, this.link)
    flush(this.directory)
    return true
  }

  /** The old bundle is no longer needed. */
  forget(bundle: string): void {
    if (this.content() === contentFor(bundle)) removeFileIfThere(this.directory, this.before)
  }

  /** Undefined if there is no link. */
  private content(): ByteString | undefined {
    const type = statusIfThere(this.directory, this.link)?.type
    return type === 'symlink' ? readSymlink(this.directory, this.link) : undefined
  }

  private put(name: ByteString, content: ByteString): void {
    const made = privateName(this.name)
    makeSymlink(content, this.directory, made)
    renameOver(this.directory, made, this.directory, name)
  }

  private removeLeftovers(): void {
    for (const name of listDirectory(this.directory))
      if (
        isPrivateNameFor(this.name, name) &&
        statusIfThere(this.directory, name)?.type === 'symlink'
      )
        removeFileIfThere(this.directory, name)
  }

  private bundleAt(name: string): string | undefined {
    const found = statusIfThere(this.directory, fromText(name))
    if (found === undefined) return undefined
    if (found.type !== 'symlink') throw this.notOurs(found.type)
    const path = this.resolved(name)
    if (path !== undefined && !isBundle(path)) throw this.notOurs(path)
    return path
  }

  /** Undefined if it leads nowhere: the bundle was deleted. */
  private resolved(name: string): string | undefined {
    try {
      return realpathSync(`${handlePath(this.directory)}/${name}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  private notOurs(found: string): OciUnpackError {
    return new OciUnpackError('TARGET_INVALID', 'Something else has the name of the link.', {
      facts: { file: this.name, expected: 'a symbolic link to a bundle', found },
      hint: 'Choose another name with {link}, or remove what is there.'
    })
  }
}

function beforeOf(name: string): string {
  return `.${name}.before`
}

/** The directory may be renamed. */
function contentFor(bundle: string): ByteString {
  return fromText(basename(bundle))
}
