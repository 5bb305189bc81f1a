import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import type { WhiteoutForm } from '../../src/plan/whiteout-form.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setTimes, setXattr } from '../../src/sys/metadata.ts'
import { makeSpecial } from '../../src/sys/names.ts'
import { status } from '../../src/sys/status.ts'
import { ok } from './run.ts'

/** Runs with `layers`, bottom first, stacked by the kernel at `at`; unmounts whatever happens. */
export function withOverlay<T>(
  at: string,
  layers: readonly string[],
  form: WhiteoutForm,
  work: (merged: string) => T
): T {
  const bottom = `${at}-bottom`
  mkdirSync(bottom)
  mkdirSync(at)
  const lowerdir = [bottom, ...layers].reverse().join(':')
  const options = `ro,lowerdir=${lowerdir}${form === 'overlay-userxattr' ? ',userxattr' : ''}`
  ok('mount', '-t', 'overlay', 'overlay', '-o', options, at)
  try {
    return work(at)
  } finally {
    ok('umount', at)
    rmdirSync(at)
    rmdirSync(bottom)
  }
}

/**
 * Copies of layers that have their whiteouts as `.wh.` files, in the form that the kernel reads. An opaque mark at the
 * top of a layer hides all layers below it.
 */
export function asOverlay(scratch: string, layers: readonly string[]): string[] {
  let copies: string[] = []
  layers.forEach((layer, index) => {
    const copy = `${scratch}/copy-${index}`
    ok('rm', '-rf', copy)
    ok('cp', '-a', layer, copy)
    if (rewriteMarks(copy)) copies = []
    copies.push(copy)
  })
  return copies
}

/** Gives whether the directory is opaque. */
function rewriteMarks(directory: string): boolean {
  const before = status(AT_FDCWD, directory)
  let isOpaque = false
  for (const name of readdirSync(Buffer.from(directory, 'latin1'), 'latin1')) {
    const path = `${directory}/${name}`
    const file = Buffer.from(path, 'latin1')
    if (name.startsWith('.wh.')) unlinkSync(file)
    if (name === '.wh..wh..opq') isOpaque = true
    else if (name.startsWith('.wh.'))
      makeSpecial(AT_FDCWD, `${directory}/${name.slice('.wh.'.length)}`, 'char', 0, 0, 0)
    else if (lstatSync(file).isDirectory() && rewriteMarks(path))
      setXattr(AT_FDCWD, path, 'trusted.overlay.opaque', 'y')
  }
  const mtime = { sec: before.mtimeSec, nsec: before.mtimeNsec }
  setTimes(AT_FDCWD, directory, mtime, mtime)
  return isOpaque
}
