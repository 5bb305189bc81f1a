import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareBytes, fromBuffer, toBuffer, type ByteString } from '../../src/bytes.ts'
import type { EntryType } from '../../src/tar/entry.ts'
import type { ReadEntry } from './archive.ts'

/** What a test compares of one object: the same from a disk and from an archive. */
export interface Fact {
  name: ByteString
  type: EntryType
  mode: number
  uid: number
  gid: number
  mtime: string
  link: ByteString
  content: ByteString
}

/** Facts are kept in whole seconds where a format cannot hold more. */
export type Precision = 'seconds' | 'nanoseconds'

export function makeTemporary(): string {
  return fs.mkdtempSync(join(tmpdir(), 'tar-'))
}

/** All that is below a directory, sorted; hardlinks appear as the files they are. */
export function factsOnDisk(root: string, precision: Precision): Fact[] {
  const facts: Fact[] = []
  walk(root, '', precision, facts)
  return facts.sort((a, b) => compareBytes(a.name, b.name))
}

function walk(root: string, folder: ByteString, precision: Precision, facts: Fact[]): void {
  for (const child of fs.readdirSync(path(root, folder), { encoding: 'buffer' })) {
    const name = folder === '' ? fromBuffer(child) : `${folder}/${fromBuffer(child)}`
    const fact = factOnDisk(path(root, name), name, precision)
    facts.push(fact)
    if (fact.type === 'directory') walk(root, name, precision, facts)
  }
}

function factOnDisk(file: Buffer, name: ByteString, precision: Precision): Fact {
  const stat = fs.lstatSync(file, { bigint: true })
  const type = typeOf(stat)
  return {
    name,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: String(precision === 'seconds' ? floorToSecond(stat.mtimeNs) : stat.mtimeNs),
    link: type === 'symlink' ? fromBuffer(fs.readlinkSync(file, { encoding: 'buffer' })) : '',
    content: type === 'file' ? fromBuffer(fs.readFileSync(file)) : ''
  }
}

const BILLION = 1_000_000_000n

function floorToSecond(time: bigint): bigint {
  return time - (((time % BILLION) + BILLION) % BILLION)
}

function typeOf(stat: fs.BigIntStats): EntryType {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isFIFO()) return 'fifo'
  return stat.isBlockDevice() ? 'block' : 'char'
}

/** The same facts from an archive of `.`; a hardlink takes those of the entry that it names. */
export function factsInArchive(entries: readonly ReadEntry[]): Fact[] {
  const facts = new Map<ByteString, Fact>()
  for (const { entry, body } of entries) {
    const name = clean(entry.name)
    const target = entry.type === 'hardlink' ? facts.get(clean(entry.link)) : undefined
    facts.set(name, { ...(target ?? factOf(entry, fromBuffer(body))), name })
  }
  facts.delete('')
  return [...facts.values()].sort((a, b) => compareBytes(a.name, b.name))
}

function factOf(entry: ReadEntry['entry'], content: ByteString): Fact {
  const { name, type, mode, uid, gid, mtime, link } = entry
  const nanoseconds = BigInt(mtime.sec) * BILLION + BigInt(mtime.nsec)
  return { name, type, mode, uid, gid, mtime: String(nanoseconds), link, content }
}

function clean(name: ByteString): ByteString {
  return name.replace(/^\.\/|^\.$/, '').replace(/\/$/, '')
}

/** A path with a name of any bytes. */
export function path(root: string, name: ByteString): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from('/'), toBuffer(name)])
}

/** A file of `size` bytes with `data` at each of the offsets and holes elsewhere. */
export function writeSparse(file: string, size: number, data: string, offsets: number[]): void {
  const fd = fs.openSync(file, 'w')
  fs.ftruncateSync(fd, size)
  for (const offset of offsets) fs.writeSync(fd, data, offset)
  fs.closeSync(fd)
}

/** A program's output for an input; its stderr goes into the error if it fails. */
export function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  return execFileSync(program, args, {
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input })
  })
}
