/** A file that appears under its name whole or not at all: written under another, flushed, and renamed. By handles alone. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { toBuffer, type ByteString } from '../bytes.ts'
import { fromNode, isErrno, SyscallError } from '../sys/failure.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { setModeOf, setOwnerOf } from '../sys/metadata.ts'
import { removeFileIfThere, renameNew, renameOver } from '../sys/names.ts'
import { claim, isStillAt } from './claim.ts'

export interface NewFile {
  /** Open for reading and writing. */
  readonly fd: number
  /** Where it is until it is published; leads through the handle of its directory. */
  readonly path: string
  /** Appends the bytes. @throws SyscallError, for instance on a full disk */
  write(bytes: Uint8Array): void
  /** Flushes the file, gives it its name and flushes the directory: after that it survives a power cut. */
  publish(at: FinalName): void
  /** Removes the file unless it is published. May be called again, also after `publish`. */
  discard(): void
}

export interface FinalName {
  /** Descriptor. */
  directory: number
  name: ByteString
  /** Whether it replaces a file that has the name; otherwise EEXIST. */
  replaces: boolean
  /** Default 0666 less the umask. */
  mode?: number
  /** Default who runs this program. */
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
    attempt(this.path, () => fsyncSync(this.fd))
    this.assertStillThere()
    if (replaces) renameOver(this.directory, this.name, directory, name)
    else renameNew(this.directory, this.name, directory, name)
    this.close()
    flushDirectory(directory)
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

  /** Where others may rename, the name may lead to their file by now. */
  private assertStillThere(): void {
    if (!isStillAt(this.directory, this.name, this.fd))
      throw new SyscallError('ESTALE', `renameat2("${this.name}")`, this.path)
  }

  private close(): void {
    this.isOpen = false
    closeSync(this.fd)
  }
}

/** Makes renames and creations in a directory durable. @throws SyscallError; a file system without it is no failure */
export function flushDirectory(directory: number): void {
  try {
    fsyncSync(directory)
  } catch (error) {
    const known = fromNode(error)
    if (!isErrno(known, 'EINVAL')) throw known
  }
}

/** What node:fs throws says which call failed, of a descriptor not on which file. */
function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error
    const shown = withoutHandles(path)
    throw new SyscallError(String(error.code), `${String(error.syscall)}("${shown}")`, shown)
  }
}
