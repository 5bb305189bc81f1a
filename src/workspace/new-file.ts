/**
 * A file that appears under its name complete or not at all: written under another name, flushed and renamed, by
 * handles alone.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { toBuffer, type ByteString } from '../bytes.ts'
import { flush } from '../sys/durable.ts'
import { SyscallError } from '../sys/failure.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { setModeOf, setOwnerOf } from '../sys/metadata.ts'
import { removeFileIfThere, renameFileNew, renameOver } from '../sys/names.ts'
import { claim, isStillAt } from './claim.ts'

export interface NewFile {
  /** Open for reading and writing. */
  readonly fd: number
  /** Its path until it is published; leads through the handle of its directory. */
  readonly path: string
  /** Appends the bytes. @throws SyscallError, for instance on a full disk */
  write(bytes: Uint8Array): void
  /** Flushes the file, gives it its name and flushes the directory. After that it survives a power failure. */
  publish(at: FinalName): void
  /** Removes the file unless it is published. May be called again, also after `publish`. */
  discard(): void
}

export interface FinalName {
  /** Descriptor. */
  directory: number
  name: ByteString
  /** Whether it may replace a file that has the name; otherwise EEXIST. */
  replaces: boolean
  /** Default 0666 less the umask. */
  mode?: number
  /** Default: the user who runs this program. */
  owner?: Owner | undefined
}

export interface Owner {
  uid: number
  gid: number
}

/** @param directory descriptor that stays open until the file is published or discarded. @throws SyscallError */
export function createNewFile(directory: number, name: ByteString): NewFile {
  const path = `${handlePath(directory)}/${name}`
  const fd = attempt(path, () => openSync(toBuffer(path), 'wx+', 0o666))
  try {
    claim(fd)
    return new OpenFile(directory, name, path, fd)
  } catch (error) {
    closeSync(fd)
    removeFileIfThere(directory, name)
    throw error
  }
}

class OpenFile implements NewFile {
  readonly fd: number
  readonly path: string
  private readonly directory: number
  private readonly name: ByteString
  private isOpen = true

  constructor(directory: number, name: ByteString, path: string, fd: number) {
    this.directory = directory
    this.name = name
    this.path = path
    this.fd = fd
  }

  write(bytes: Uint8Array): void {
    attempt(this.path, () => {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.fd, bytes, done, bytes.length - done)
    })
  }

  publish({ directory, name, replaces, mode, owner }: FinalName): void {
    if (owner !== undefined) setOwnerOf(this.fd, owner.uid, owner.gid)
    if (mode !== undefined) setModeOf(this.fd, mode)
    flush(this.fd)
    this.assertStillThere()
    if (replaces) renameOver(this.directory, this.name, directory, name)
    else renameFileNew(this.directory, this.name, directory, name)
    this.close()
    flush(directory)
  }

  discard(): void {
    if (!this.isOpen) return
    try {
      if (isStillAt(this.directory, this.name, this.fd))
        removeFileIfThere(this.directory, this.name)
    } finally {
      this.close()
    }
  }

  /** If others may rename, the name may already lead to a file of theirs. */
  private assertStillThere(): void {
    if (!isStillAt(this.directory, this.name, this.fd))
      throw new SyscallError('ESTALE', `renameat2("${this.name}")`, this.path)
  }

  private close(): void {
    this.isOpen = false
    closeSync(this.fd)
  }
}

/** Errors of node:fs say which call failed, but name no file if the call was given a descriptor. */
function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error
    const shown = withoutHandles(path)
    throw new SyscallError(String(error.code), `${String(error.syscall)}("${shown}")`, shown)
  }
}
