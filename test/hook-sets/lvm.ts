/** A model of LVM as programs in PATH, with one volume group and a thin pool in it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { run } from '../support/run.ts'

const model = new URL('programs/lvm-model.mjs', import.meta.url).pathname
const COMMANDS = ['lvs', 'lvcreate', 'lvchange', 'lvrename', 'lvremove', 'lvextend']

export interface Volume {
  pool: string
  bytes: number
  tags: string[]
  readOnly: boolean
  skip: boolean
  /** Only while it is active. */
  loop?: string
}

/** As `lvs` prints it. */
export type Pool = Record<
  | 'segtype'
  | 'lv_size'
  | 'data_percent'
  | 'lv_metadata_size'
  | 'metadata_percent'
  | 'chunk_size'
  | 'zero',
  string
>

export interface Lvm {
  /** What the set has to know. */
  env: { PATH: string; VG: string; POOL: string }
  volumes: () => Record<string, Volume>
  changePool: (change: Partial<Pool>) => void
  /** A volume that somebody else has made. */
  addForeign: (name: string, tags?: string[]) => void
  /** Calls since the last time, without their options for the output of `lvs`. */
  calls: () => string[][]
  /** Lets the program be killed by its call number `count` that changes something: before it, or (negative) after it. */
  killAt: (count: number) => void
  /** Unmounts and detaches everything. */
  release: () => void
}

interface State {
  vg: string
  next: number
  pools: Record<string, Pool>
  volumes: Record<string, Volume & { id: number }>
}

let made = 0

export function makeLvm(parent: string): Lvm {
  const home = join(parent, 'lvm')
  const [directory, stateFile] = [join(home, 'bin'), join(home, 'state.json')]
  for (const path of [home, directory, join(home, 'data')]) mkdirSync(path)
  const vg = `oci-unpack-test-${process.pid}-${made++}`
  const write = (state: State): void => {
    writeFileSync(stateFile, JSON.stringify(state))
  }
  const read = (): State => JSON.parse(readFileSync(stateFile, 'utf8')) as State
  write({ vg, next: 1, pools: { pool: { ...POOL } }, volumes: {} })
  for (const command of COMMANDS) {
    const words = [join(home, 'lock'), process.execPath, model, home, command]
    const line = words.map((word) => `'${word}'`).join(' ')
    writeFileSync(join(directory, command), `#!/bin/sh\nexec flock -F ${line} "$@"\n`, {
      mode: 0o700
    })
  }
  return {
    env: { PATH: `${directory}:${process.env.PATH ?? ''}`, VG: vg, POOL: 'pool' },
    volumes: () => read().volumes,
    changePool(change) {
      const state = read()
      Object.assign(state.pools.pool!, change)
      write(state)
    },
    addForeign(name, tags = []) {
      const state = read()
      const id = state.next++
      writeFileSync(join(home, 'data', String(id)), 'theirs')
      state.volumes[name] = { id, pool: 'pool', bytes: 4096, tags, readOnly: false, skip: false }
      write(state)
    },
    calls() {
      const lines = readFileSync(join(home, 'calls'), 'utf8').split('\n').slice(0, -1)
      writeFileSync(join(home, 'calls'), '')
      return lines.map((line) => JSON.parse(line) as string[])
    },
    killAt: (count) => {
      writeFileSync(join(home, 'kill'), String(count))
    },
    release() {
      for (const { loop } of Object.values(read().volumes)) {
        if (loop === undefined) continue
        run('umount', '--all-targets', loop)
        run('losetup', '--detach', loop)
      }
      rmSync(`/dev/${vg}`, { recursive: true, force: true })
    }
  }
}

const POOL: Pool = {
  segtype: 'thin-pool',
  lv_size: String(2 ** 32),
  data_percent: '50.00',
  lv_metadata_size: String(2 ** 26),
  metadata_percent: '50.00',
  chunk_size: '65536',
  zero: 'zero'
}
