import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, readlinkSync, readSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pipe } from '../../src/sys/pipe.ts'

test('what goes in comes out, and the end shows', () => {
  withPipe(65_536, (ends) => {
    writeSync(ends.write, 'bytes')
    const buffer = Buffer.alloc(10)
    expect(readSync(ends.read, buffer)).toBe(5)
    expect(buffer.toString('latin1', 0, 5)).toBe('bytes')
    closeSync(ends.write)
    expect(readSync(ends.read, buffer)).toBe(0)
    ends.write = ends.read
  })
})

test('it holds as much as was asked for', () => {
  withPipe(1 << 20, (ends) => {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK
    const patient = openSync(`/proc/self/fd/${ends.write}`, flags)
    expect(writeSync(patient, Buffer.alloc(2 << 20))).toBe(1 << 20)
    closeSync(patient)
  })
})

test('children do not get its ends', () => {
  withPipe(65_536, ({ read, write }) => {
    for (const fd of [read, write]) {
      const { stdout } = spawnSync('readlink', [`/proc/self/fd/${fd}`], { encoding: 'utf8' })
      expect(stdout.trim()).not.toBe(readlinkSync(`/proc/self/fd/${fd}`))
    }
  })
})

function withPipe(bytes: number, work: (ends: { read: number; write: number }) => void): void {
  const ends = pipe(bytes)
  try {
    work(ends)
  } finally {
    for (const fd of new Set([ends.read, ends.write])) closeSync(fd)
  }
}
