/** What a user may do in a bundle of the base layer: one change of each kind. */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  lchownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fromText } from '../bytes.ts'
import { AT_FDCWD } from '../sys/files.ts'
import { setXattr } from '../sys/metadata.ts'
import type { Abilities } from './layers.ts'

export function editTree(rootfs: string, able: Abilities): void {
  const at = (path: string): string => join(rootfs, path)
  writeFileSync(at('etc/salt'), 'changed')
  appendFileSync(at('dir/sub/file'), ' and more')
  mkdirSync(at('new/deep'), { recursive: true })
  writeFileSync(at('new/deep/file'), 'new')
  rmSync(at('gone'))
  rmSync(at('gone-dir'), { recursive: true })
  move(at('opaque'), at('renamed'))
  appendFileSync(at('renamed/old'), ' and renamed')
  rmSync(at('becomes-file'), { recursive: true })
  writeFileSync(at('becomes-file'), 'now a file')
  rmSync(at('becomes-dir'))
  mkdirSync(at('becomes-dir'))
  writeFileSync(at('becomes-dir/in'), 'in a former file')
  rmSync(at('far'), { recursive: true })
  mkdirSync(at('far'))
  rmSync(at('near'))
  symlinkSync('elsewhere', at('near'))
  chmodSync(at('dir'), 0o700)
  utimesSync(at('set-user-id'), 1_400_000_000, 1_400_000_000)
  writeFileSync(at('odd/new\nline'), 'changed')
  linkSync(at('odd/%s'), at('odd/linked'))
  if (able.root) lchownSync(at('etc/owned'), 4321, 98)
  if (able.xattrs) setXattr(AT_FDCWD, fromText(at('noted-dir')), 'user.binary', 'changed')
}

/** As mv(1) does, because overlayfs cannot move a directory that has a lower layer. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    cpSync(from, to, { recursive: true, preserveTimestamps: true })
    rmSync(from, { recursive: true })
  }
}

/** Changes a file with two names through one of them. */
export function editLinked(rootfs: string): void {
  appendFileSync(join(rootfs, 'links/two'), ' and changed')
}

export function editAgain(rootfs: string): void {
  writeFileSync(join(rootfs, 'dir/sub/file'), 'changed again')
  rmSync(join(rootfs, 'new/deep/file'))
}
