/** Lists directories. The offset of the descriptor does not matter: a listing always begins at the start. */
import { readdirSync, type Dirent } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { SyscallError } from './failure.ts'
import { getdents64, libcCalls as libc, type Native } from './libc.ts'
import { valueBlock } from './memory.ts'

/** The names in a directory in the kernel's order, without `.` and `..`. @throws SyscallError */
export function listDirectory(fd: number): ByteString[] {
  return getdents64 === undefined ? listByNode(fd) : listByKernel(fd, getdents64)
}

/** Avoids opening the directory a second time, which Node needs because it cannot list a descriptor. */
export function listByKernel(fd: number, getdents: Native): ByteString[] {
  const names: ByteString[] = []
  if (libc.lseek(fd, 0, SEEK_SET) < 0) throw failed('lseek', undefined, fd, 0)
  for (;;) {
    const { address, buffer } = valueBlock
    const length = getdents(fd, address, buffer.length)
    if (length < 0) throw failed('getdents64', undefined, fd)
    if (length === 0) return names
    for (let at = 0; at < length; at += buffer.readUInt16LE(at + RECLEN)) {
      const name = nameAt(buffer, at + NAME)
      if (name !== '.' && name !== '..') names.push(name)
    }
  }
}

const SEEK_SET = 0
/** struct linux_dirent64: inode u64 | offset i64 | length of the record u16 | type u8 | name with its NUL. */
const RECLEN = 16
const NAME = 19

function nameAt(buffer: Buffer, start: number): ByteString {
  let end = start
  while (buffer[end] !== 0) end += 1
  return buffer.toString('latin1', start, end)
}

export function listByNode(fd: number): ByteString[] {
  return guarded(fd, () => readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }))
}

/** The names, with the types that the directory itself records. */
export function listDirectoryTypes(fd: number): Dirent[] {
  return guarded(fd, () =>
    readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', withFileTypes: true })
  )
}

function guarded<T>(fd: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO'
    throw new SyscallError(code, `getdents64(${fd})`, undefined)
  }
}
