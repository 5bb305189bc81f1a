/** A new file at a path that the operator gave, whose directory is opened once. */
import { basename, dirname } from 'node:path'
import { fromText } from '../bytes.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { makeWay, type OnLeftover } from './leftovers.ts'
import { createNewFile, type FinalName, type NewFile } from './new-file.ts'
import { privateName } from './private-name.ts'

export interface NewFileAt extends Pick<NewFile, 'fd' | 'write' | 'discard'> {
  /** Gives the file its name, durably. @throws SyscallError, EEXIST if the name is taken and may not be replaced */
  publish(how: Pick<FinalName, 'replaces' | 'mode' | 'owner'>): void
}

/** @param path absolute; its directory must exist. @throws SyscallError */
export function createNewFileAt(path: string, onLeftover: OnLeftover = () => undefined): NewFileAt {
  const directory = openOperatorDirectory(fromText(dirname(path)))
  try {
    makeWay(directory, dirname(path), onLeftover)
    const file = createNewFile(directory, privateName(basename(path)))
    return inDirectory(file, directory, basename(path))
  } catch (error) {
    close(directory)
    throw error
  }
}

function inDirectory(file: NewFile, directory: number, name: string): NewFileAt {
  let isOpen = true
  return {
    fd: file.fd,
    write: (bytes) => file.write(bytes),
    publish: (how) => file.publish({ ...how, directory, name: fromText(name) }),
    discard() {
      if (!isOpen) return
      isOpen = false
      try {
        file.discard()
      } finally {
        close(directory)
      }
    }
  }
}
