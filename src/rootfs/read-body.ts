/** Reading regular files, with a check that each is still the file that was looked at. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { seekTo } from '../sys/copy.ts'
import { close, openFile, readInto } from '../sys/files.ts'
import { isUnreadable, type Lender } from '../sys/lender.ts'
import { status, type Status } from '../sys/status.ts'
import type { Extents } from '../tar/sparse.ts'
import { dataExtents } from './data-extents.ts'

/** Memory for a piece of a body, in bytes, where there is no better size. */
export const BODY_CHUNK: number = 1024 * 1024

/** How to open a file that its mode keeps us from reading; its path is relative to the lender's root. */
export interface LentFile {
  lender: Lender | undefined
  path: ByteString
}

/**
 * Reads a file piece by piece: exactly as many bytes as it had when it was looked at.
 * @param room called for each piece: the memory that it is read into, at least one byte
 * @param extents what to read of it; all by default
 * @throws FILE_CHANGED when it is no longer the same file with the same size and times; this is checked at the end, too
 */
export function* readBody(
  directory: number,
  name: ByteString,
  found: Status,
  room: () => Buffer,
  lent?: LentFile,
  extents?: Extents
): Generator<Buffer> {
  const { fd, expected } = open(directory, name, found, lent)
  try {
    assertSame(status(fd, ''), name, expected)
    if (extents === undefined) yield* readBytes(fd, name, expected.size, room)
    else yield* readExtents(fd, name, extents, room)
    assertSame(status(fd, ''), name, expected)
  } finally {
    close(fd)
  }
}

function* readExtents(
  fd: number,
  name: ByteString,
  extents: Extents,
  room: () => Buffer
): Generator<Buffer> {
  for (let at = 0; at < extents.length; at += 2) {
    seekTo(fd, extents[at]!)
    yield* readBytes(fd, name, extents[at + 1]!, room)
  }
}

function* readBytes(
  fd: number,
  name: ByteString,
  count: number,
  room: () => Buffer
): Generator<Buffer> {
  for (let left = count; left > 0;) {
    const memory = room()
    const length = readInto(fd, memory.subarray(0, Math.min(left, memory.length)))
    if (length === 0) throw fileChanged(name)
    left -= length
    yield memory.subarray(0, length)
  }
}

/** Where the file has data, as `dataExtents` says. @throws FILE_CHANGED */
export function bodyExtents(
  directory: number,
  name: ByteString,
  found: Status,
  lent?: LentFile
): Extents | undefined {
  const { fd, expected } = open(directory, name, found, lent)
  try {
    assertSame(status(fd, ''), name, expected)
    return dataExtents(fd, expected.size)
  } finally {
    close(fd)
  }
}

/** The open file, and the status that it must keep. */
interface OpenBody {
  fd: number
  expected: Status
}

/** Opening a file up changes its ctime. So it is compared right before that, and from then on with what it is then. */
function open(
  directory: number,
  name: ByteString,
  found: Status,
  { lender, path }: LentFile = { lender: undefined, path: name }
): OpenBody {
  if (lender === undefined || !isUnreadable(found))
    return { fd: openFile(directory, name), expected: found }
  const check = (now: Status): void => assertSame(now, name, found)
  const fd = lender.whileReadable({ directory, name, path }, () => openFile(directory, name), check)
  return { fd, expected: withNewCtime(found, status(fd, ''), name) }
}

/** The status that a file must keep after we changed its ctime. @throws FILE_CHANGED if anything else changed, too */
export function withNewCtime(found: Status, now: Status, name: ByteString): Status {
  const { ctimeSec, ctimeNsec } = now
  const expected = { ...found, ctimeSec, ctimeNsec }
  assertSame(now, name, expected)
  return expected
}

function assertSame(now: Status, name: ByteString, expected: Status): void {
  const isSame =
    now.inode === expected.inode &&
    now.size === expected.size &&
    now.mtimeSec === expected.mtimeSec &&
    now.mtimeNsec === expected.mtimeNsec &&
    now.ctimeSec === expected.ctimeSec &&
    now.ctimeNsec === expected.ctimeNsec
  if (!isSame) throw fileChanged(name)
}

export function fileChanged(name: ByteString): OciUnpackError {
  return new OciUnpackError('FILE_CHANGED', 'A file changed while it was being read.', {
    facts: { path: display(name) },
    hint: 'Stop the programs that write to the root file system, then try again.'
  })
}
