import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withPidFile } from '../../src/cli/pid-file.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
beforeEach(() => (work = makeTemporary()))
afterEach(() => removeTemporary(work))

const attempt = (path: string): Promise<unknown> =>
  withPidFile(path, () => Promise.resolve(fs.readFileSync(path, 'utf8'))).catch(
    (error: unknown) => error
  )

test('holds the id of this process while it works, also where a process has left one that has ended', async () => {
  const path = `${work}/pid`
  for (const left of [undefined, `${spawnSync('true').pid}\n`]) {
    if (left !== undefined) fs.writeFileSync(path, left)
    expect(await attempt(path)).toBe(`${process.pid}\n`)
    expect(fs.readdirSync(work)).toEqual([])
  }
})

test.each<[string, (path: string) => void]>([
  ['a file of the user', (path) => fs.writeFileSync(path, 'notes')],
  ['the file of a process that is running', (path) => fs.writeFileSync(path, `${process.ppid}\n`)],
  ['a link', (path) => fs.symlinkSync('elsewhere', path)],
  ['a directory', (path) => fs.mkdirSync(path)],
  ['a FIFO', (path) => void spawnSync('mkfifo', [path])]
])('does not take the place of %s', async (_, make) => {
  const path = `${work}/it`
  make(path)
  const before = fs.lstatSync(path)
  expect(await attempt(path)).toMatchObject({ code: 'TARGET_INVALID', facts: { path } })
  const { ino, mtimeMs, size } = fs.lstatSync(path)
  expect({ ino, mtimeMs, size }).toEqual({
    ino: before.ino,
    mtimeMs: before.mtimeMs,
    size: before.size
  })
  expect(fs.readdirSync(work)).toEqual(['it'])
})

test('needs a directory', async () => {
  expect(await attempt(`${work}/none/pid`)).toMatchObject({
    code: 'SYSCALL_FAILED',
    facts: { path: `${work}/none/pid`, reason: 'ENOENT' }
  })
})
