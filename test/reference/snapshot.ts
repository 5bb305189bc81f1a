/** Every field of a tree as sorted lines of text, so that a difference is a readable diff. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { display } from '../../src/bytes.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { getXattr, listXattrs } from '../../src/sys/metadata.ts'
import { status } from '../../src/sys/status.ts'

export function snapshot(root: string): string {
  return print(root, false)
}

/** The same with inode numbers and all link counts: nothing was made anew. */
export function identitySnapshot(root: string): string {
  return print(root, true)
}

function print(root: string, identity: boolean): string {
  const lines: string[] = []
  visit(root, '.', lines, new Map<string, string>(), identity)
  return lines.join('\n')
}

function visit(
  at: string,
  shown: string,
  lines: string[],
  inodes: Map<string, string>,
  identity: boolean
): void {
  const it = status(AT_FDCWD, at)
  const fields = [
    shown,
    it.type,
    it.mode.toString(8),
    `${it.uid}:${it.gid}`,
    `${it.mtimeSec}.${String(it.mtimeNsec).padStart(9, '0')}`
  ]
  if (identity) fields.push(`inode=${it.inode}`, `links=${it.nlink}`)
  if (it.type !== 'directory') fields.push(`size=${it.size}`, `nlink=${it.nlink}`)
  if (it.type === 'char' || it.type === 'block') fields.push(`${it.devMajor}:${it.devMinor}`)
  if (it.type === 'symlink')
    fields.push(`-> ${display(fs.readlinkSync(Buffer.from(at, 'latin1'), 'latin1'))}`)
  if (it.type === 'file')
    fields.push(
      createHash('sha256')
        .update(fs.readFileSync(Buffer.from(at, 'latin1')))
        .digest('hex')
        .slice(0, 16)
    )
  for (const key of listXattrs(AT_FDCWD, at).sort())
    fields.push(`${key}=${display(getXattr(AT_FDCWD, at, key) ?? '')}`)
  if (it.nlink > 1 && it.type !== 'directory') {
    const first = inodes.get(String(it.inode)) ?? shown
    inodes.set(String(it.inode), first)
    fields.push(`same as ${first}`)
  }
  lines.push(fields.join(' '))
  if (it.type !== 'directory') return
  for (const name of fs.readdirSync(Buffer.from(at, 'latin1'), 'latin1').sort())
    visit(`${at}/${name}`, `${shown}/${display(name)}`, lines, inodes, identity)
}
