/** Secrets that come through a file descriptor. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSecretLine } from '../../src/cli/read-secret-line.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

const never = new AbortController().signal

test.each([
  ['me:secret', 'me:secret'],
  ['me:secret\n', 'me:secret'],
  ['me:secret\r\nmore', 'me:secret'],
  [' me: s \n', ' me: s '],
  ['\n', ''],
  ['', ''],
  ['me:pässwörd\n', 'me:pässwörd']
])('%j, from a file', async (content, line) => {
  fs.writeFileSync(`${work}/file`, content)
  expect(await readSecretLine(fs.openSync(`${work}/file`, 'r'), never)).toBe(line)
})

test('a line that does not end is refused', async () => {
  fs.writeFileSync(`${work}/file`, 'secret'.repeat(20_000))
  const fd = fs.openSync(`${work}/file`, 'r')
  await expect(readSecretLine(fd, never)).rejects.toMatchObject({
    code: 'USAGE',
    facts: { reason: 'its first line is too long' }
  })
})

test('a pipe is waited for, its end is not, and a stop is heeded', async () => {
  execFileSync('mkfifo', [`${work}/pipe`])
  const open = (): number => fs.openSync(`${work}/pipe`, 'r+')
  const writer = open()
  const line = readSecretLine(open(), never)
  setTimeout(() => fs.writeSync(writer, 'me:'), 5)
  setTimeout(() => fs.writeSync(writer, 'secret\n'), 10)
  expect(await line).toBe('me:secret')
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 5)
  await expect(readSecretLine(open(), stop.signal)).rejects.toMatchObject({ code: 'ABORTED' })
  await expect(readSecretLine(open(), stop.signal)).rejects.toMatchObject({ code: 'ABORTED' })
})
