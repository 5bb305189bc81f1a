import { closeSync, openSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readFile, readFully, readRest } from '../../src/sys/read.ts'
import { withTemporary } from '../support/temporary.ts'

test('files are read whole: larger than one piece, and those of /proc, which say that they have no bytes', () => {
  withTemporary((work) => {
    const body = Buffer.alloc(200_000, 'body')
    writeFileSync(`${work}/file`, body)
    expect(readFile(`${work}/file`).equals(body)).toBe(true)
    expect(readFile('/proc/self/status').toString()).toContain('SigIgn:')
  })
})

test('a positional read gives what there is, and leaves the offset where it stands', () => {
  withTemporary((work) => {
    writeFileSync(`${work}/file`, '0123456789')
    const fd = openSync(`${work}/file`, 'r')
    try {
      const buffer = Buffer.alloc(8)
      expect(readFully(fd, buffer, 8, 6)).toBe(4)
      expect(buffer.toString('latin1', 0, 4)).toBe('6789')
      expect(readRest(fd).toString()).toBe('0123456789')
    } finally {
      closeSync(fd)
    }
  })
})
