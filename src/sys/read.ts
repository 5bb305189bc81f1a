/** Reads descriptors of node:fs, which repeats every interrupted call except read(2). Loads no native code. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Like `readSync`: reads some bytes into the buffer, 0 at the end; without a position, from the file's offset. */
export function read(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number | null
): number {
  for (;;)
    try {
      return readSync(fd, buffer, offset, length, position)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') throw error
    }
}

/** Reads up to `length` bytes from the position, as many as there are. Returns their number. */
export function readFully(fd: number, buffer: Buffer, length: number, position: number): number {
  let done = 0
  while (done < length) {
    const taken = read(fd, buffer, done, length - done, position + done)
    if (taken === 0) break
    done += taken
  }
  return done
}

const CHUNK = 65_536

/** Everything from the file's offset on. One piece is enough, unless the file grows or its size says nothing. */
export function readRest(fd: number): Buffer {
  const pieces: Buffer[] = []
  let room = fstatSync(fd).size + 1
  for (;;) {
    const piece = Buffer.allocUnsafe(Math.max(room, CHUNK))
    const length = readPiece(fd, piece)
    pieces.push(piece.subarray(0, length))
    if (length < piece.length) return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    room = CHUNK
  }
}

/** Fills the piece, unless the file ends before. */
function readPiece(fd: number, piece: Buffer): number {
  let done = 0
  while (done < piece.length) {
    const taken = read(fd, piece, done, piece.length - done, null)
    if (taken === 0) break
    done += taken
  }
  return done
}

/** The whole content of a file, by a path of the operator or of the system. */
export function readFile(path: string | URL): Buffer {
  const fd = openSync(path, 'r')
  try {
    return readRest(fd)
  } finally {
    closeSync(fd)
  }
}
