/** Every field of a tree as lines, the same from a list of an image and from a disk. */
import { readdirSync, readlinkSync } from 'node:fs'
import { display, fromBuffer } from '../../src/bytes.ts'
import type { ListedFile } from '../../src/index.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { getXattr, listXattrs } from '../../src/sys/metadata.ts'
import { inodeKey, status } from '../../src/sys/status.ts'

interface Line {
  path: string
  type: string
  mode: number
  owner: string
  mtime: string
  size: number | undefined
  device: string | undefined
  target: string | undefined
  xattrs: readonly string[]
  /** Names that lead to the same file have the same. */
  inode: string
  links: number
}

export function listedLines(files: Iterable<ListedFile>): string[] {
  const lines = [...files].map((file): Line => {
    const { type, device, target, mtime } = file
    return {
      path: fromBuffer(file.path),
      type,
      mode: file.mode,
      owner: `${file.uid}:${file.gid}`,
      mtime: `${mtime.sec}.${mtime.nsec}`,
      size: type === 'directory' ? undefined : file.size,
      device: device === undefined ? undefined : `${device.major}:${device.minor}`,
      target: target === undefined ? undefined : fromBuffer(target),
      xattrs: file.xattrs.map(({ name, value }) => `${fromBuffer(name)}=${fromBuffer(value)}`),
      inode: String(file.inode),
      links: file.links
    }
  })
  return print(lines)
}

export function diskLines(root: string): string[] {
  const lines: Line[] = []
  visit(root, '/', lines)
  return print(lines)
}

function visit(at: string, path: string, lines: Line[]): void {
  const it = status(AT_FDCWD, at)
  const isDevice = it.type === 'char' || it.type === 'block'
  lines.push({
    path,
    type: it.type,
    mode: it.mode,
    owner: `${it.uid}:${it.gid}`,
    mtime: `${it.mtimeSec}.${it.mtimeNsec}`,
    size: it.type === 'directory' ? undefined : it.size,
    device: isDevice ? `${it.devMajor}:${it.devMinor}` : undefined,
    target: it.type === 'symlink' ? readlinkSync(Buffer.from(at, 'latin1'), 'latin1') : undefined,
    xattrs: listXattrs(AT_FDCWD, at).map((name) => `${name}=${getXattr(AT_FDCWD, at, name) ?? ''}`),
    inode: inodeKey(it),
    links: it.type === 'directory' ? 1 : it.nlink
  })
  if (it.type !== 'directory') return
  for (const name of readdirSync(Buffer.from(at, 'latin1'), 'latin1').sort())
    visit(`${at}/${name}`, path === '/' ? `/${name}` : `${path}/${name}`, lines)
}

function print(lines: readonly Line[]): string[] {
  const first = new Map<string, string>()
  for (const { inode, path } of lines) if (!first.has(inode)) first.set(inode, path)
  return lines.map(({ path, inode, links, xattrs, ...rest }) =>
    [
      display(path),
      ...Object.values(rest).map((value) => (value === undefined ? '' : display(String(value)))),
      `links ${links} of ${display(first.get(inode)!)}`,
      ...xattrs.map(display).sort()
    ].join(' ')
  )
}
