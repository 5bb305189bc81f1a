/** Listens on a Unix socket that only this user can reach, and that appears under its path when it is ready. */
import { chmodSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname } from 'node:path'
import { fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { makeLink, removeFile } from '../../sys/names.ts'
import { inodeKey, status, statusIfThere } from '../../sys/status.ts'
import { makeWay, type OnLeftover } from '../../workspace/leftovers.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import {
  makePrivateDirectory,
  removeIfEmpty,
  type PrivateDirectory
} from '../../workspace/private-directory.ts'
import { privateName } from '../../workspace/private-name.ts'
import { listening } from './listen.ts'

export interface SocketFile {
  /** Absolute. */
  readonly path: string
  /** Removes the path, unless it leads to something else by now. The server has closed before. */
  remove(): void
}

/** unix(7) has room for 108 bytes, with the NUL at the end. */
const MAX_PATH = 107

const NAME = 'socket'

/** @param path absolute. @throws USAGE, TARGET_INVALID if something is there already, SYSCALL_FAILED */
export function listenOnSocket(
  server: Server,
  path: string,
  onLeftover: OnLeftover
): Promise<SocketFile> {
  const final = fromText(basename(path))
  assertShort(path)
  const place = { server, directory: dirname(path), becomes: basename(path), onLeftover }
  return withNursery(place, async (parent, nursery) => {
    if (statusIfThere(parent, final) !== undefined) throw isThere(path)
    await listenIn(nursery, server)
    const key = inodeKey(status(nursery.fd, NAME))
    linkNew(nursery.fd, parent, final, path)
    removeFile(nursery.fd, NAME)
    removeIfEmpty(parent, nursery.name)
    return { path, release: () => removeIfSame(parent, final, key) }
  })
}

/** Among the temporary files. @throws USAGE, SYSCALL_FAILED */
export function listenOnTemporarySocket(
  server: Server,
  onLeftover: OnLeftover
): Promise<SocketFile> {
  const place = { server, directory: tmpdir(), becomes: '', onLeftover }
  return withNursery(place, async (_parent, nursery) => {
    const path = `${tmpdir()}/${nursery.name}/${NAME}`
    assertShort(path)
    await listenIn(nursery, server)
    return { path, release: () => undefined }
  })
}

interface Place {
  server: Server
  directory: string
  /** The name that the socket gets in it; empty if it stays in the private directory. */
  becomes: string
  onLeftover: OnLeftover
}

interface Listening {
  path: string
  release: () => void
}

/**
 * A private directory in which a socket is made. It stays open as long as the server: a server that closes removes the path that
 * it was given, and no other directory may have the number of this one by then.
 */
async function withNursery(
  { server, directory, becomes, onLeftover }: Place,
  listen: (parent: number, nursery: PrivateDirectory) => Promise<Listening>
): Promise<SocketFile> {
  const parent = openOperatorDirectory(fromText(directory))
  let nursery: PrivateDirectory | undefined
  const forget = (): void => {
    try {
      nursery?.remove()
    } finally {
      close(parent)
    }
  }
  try {
    makeWay(parent, directory, onLeftover)
    nursery = makePrivateDirectory(parent, () => privateName(becomes), PRIVATE_MODE)
    const { path, release } = await listen(parent, nursery)
    const remove = (): void => {
      try {
        release()
      } finally {
        forget()
      }
    }
    return { path, remove }
  } catch (error) {
    await new Promise((resolve) => server.close(resolve))
    forget()
    throw error
  }
}

async function listenIn(nursery: PrivateDirectory, server: Server): Promise<void> {
  const path = `${nursery.path}/${NAME}`
  await listening(server, { path })
  chmodSync(path, 0o600)
}

function linkNew(from: number, parent: number, name: ByteString, path: string): void {
  try {
    makeLink(from, NAME, parent, name)
  } catch (error) {
    throw isErrno(error, 'EEXIST') ? isThere(path) : error
  }
}

function removeIfSame(parent: number, name: ByteString, key: string): void {
  const found = statusIfThere(parent, name)
  if (found !== undefined && inodeKey(found) === key) removeFile(parent, name)
}

function isThere(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'Something else is already there.', {
    facts: { path },
    hint: 'Choose another {socket}. If a server that was killed left it there, remove it.'
  })
}

function assertShort(path: string): void {
  const found = Buffer.byteLength(path)
  if (found <= MAX_PATH) return
  throw new OciUnpackError('USAGE', 'The path of the socket is too long for clients.', {
    facts: { path, expected: `at most ${MAX_PATH} bytes`, found },
    hint: 'Choose a shorter {socket}, or another TMPDIR.'
  })
}
