import { mkdirSync, rmdirSync } from 'node:fs'
import type { WhiteoutForm } from '../../src/plan/whiteout-form.ts'
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
