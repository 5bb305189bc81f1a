/** Files of an image as lines for people, and as JSON and bytes for programs. */
import { display, fromBuffer, toText } from '../bytes.ts'
import type { ListedFile } from '../index.ts'

export function formatFileName({ path }: ListedFile): string {
  return `${shown(path)}\n`
}

export function formatFileNull({ path }: ListedFile): Uint8Array {
  return Buffer.concat([path, Buffer.from([0])])
}

/** Like `ls -l`, with numbers for owners and times in UTC. */
export function formatFileLong(file: ListedFile): string {
  const { uid, gid, links, path, target } = file
  const owner = `${String(uid).padStart(5)} ${String(gid).padStart(5)}`
  const cells = [
    modeText(file),
    String(links).padStart(3),
    owner,
    sizeText(file).padStart(10),
    timeText(file),
    shown(path)
  ]
  return `${cells.join(' ')}${target === undefined ? '' : ` -> ${shown(target)}`}\n`
}

/**
 * One object. A name that is not UTF-8 appears twice: as text with its odd bytes escaped, and unchanged in base64.
 * Values of attributes are in base64.
 */
export function formatFileJson(file: ListedFile): string {
  const { path, target, xattrs, ...rest } = file
  const value = {
    ...named('path', path),
    ...rest,
    ...(target === undefined ? {} : named('target', target)),
    xattrs: xattrs.map((each) => ({ ...named('name', each.name), value: base64(each.value) }))
  }
  return `${JSON.stringify(value)}\n`
}

function named(key: string, bytes: Uint8Array): Record<string, string> {
  const text = toText(fromBuffer(bytes))
  return text === undefined
    ? { [key]: shown(bytes), [`${key}Base64`]: base64(bytes) }
    : { [key]: text }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function shown(bytes: Uint8Array): string {
  return display(fromBuffer(bytes))
}

const TYPES: Readonly<Record<ListedFile['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p'
}

function modeText({ type, mode }: ListedFile): string {
  const [user, group, other] = [mode >> 6, mode >> 3, mode]
  return [
    TYPES[type],
    rights(user, mode & 0o4000, 's'),
    rights(group, mode & 0o2000, 's'),
    rights(other, mode & 0o1000, 't')
  ].join('')
}

/** A special bit replaces the right to execute, as a capital letter if that right is missing. */
function rights(bits: number, special: number, letter: string): string {
  const mayExecute = (bits & 1) !== 0
  const plain = mayExecute ? 'x' : '-'
  const marked = mayExecute ? letter : letter.toUpperCase()
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${special === 0 ? plain : marked}`
}

function sizeText({ size, device }: ListedFile): string {
  return device === undefined ? String(size) : `${device.major},${device.minor}`
}

/** A time beyond the range of Date is shown as a number. */
function timeText({ mtime: { sec } }: ListedFile): string {
  const date = new Date(sec * 1000)
  if (Number.isNaN(date.getTime())) return `@${sec}`
  return date.toISOString().replace('T', ' ').slice(0, -5)
}
