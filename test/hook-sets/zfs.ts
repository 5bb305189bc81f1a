/** A model of zfs as a program in PATH. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ok } from '../support/run.ts'

const model = new URL('programs/zfs-model.mjs', import.meta.url).pathname

export interface Zfs {
  /** For PATH. */
  path: string
  /** What it prints; throws if it fails. */
  must: (...args: string[]) => string
  names: () => string[]
  get: (property: string, dataset: string) => string
}

/** One dataset `POOL/NAME`, mounted at `mountpoint`. What is mounted goes with the disk of `home`. */
export function makeZfs(home: string, dataset: string, mountpoint: string): Zfs {
  const [directory, state] = [join(home, 'bin'), join(home, 'zfs')]
  for (const path of [directory, state]) mkdirSync(path)
  const program = join(directory, 'zfs')
  const words = [join(state, 'lock'), process.execPath, model, state].map((word) => `'${word}'`)
  writeFileSync(program, `#!/bin/sh\nexec flock ${words.join(' ')} "$@"\n`, { mode: 0o700 })
  const must = (...args: string[]): string => ok(program, ...args).stdout.trimEnd()
  const pool = dataset.split('/')[0]!
  must('model', pool, 'none')
  must('create', '-o', `mountpoint=${mountpoint}`, dataset)
  return {
    path: `${directory}:${process.env.PATH ?? ''}`,
    must,
    names: () => must('list', '-H', '-o', 'name', '-r', pool).split('\n'),
    get: (property, name) => must('get', '-H', '-o', 'value', property, name)
  }
}
