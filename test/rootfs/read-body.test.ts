import { appendFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readBody } from '../../src/rootfs/read-body.ts'
import { status } from '../../src/sys/status.ts'
import { failure } from '../support/failure.ts'
import { withScratch } from '../support/open-directory.ts'

const CONTENT = 'abcdefgh'

/** Reads `file` in pieces of three bytes; `disturb` acts before the piece with that number (0: before the first). */
function read(disturb: (path: string, piece: number) => void = () => undefined): string {
  return withScratch((fd, directory) => {
    const path = `${directory}/file`
    writeFileSync(path, CONTENT)
    // Old enough that no write falls into the same tick of the kernel's clock.
    utimesSync(path, 2, 2)
    const found = status(fd, 'file')
    disturb(path, 0)
    let text = ''
    let pieces = 0
    for (const piece of readBody(fd, 'file', found, () => Buffer.alloc(3))) {
      text += piece.toString('latin1')
      disturb(path, ++pieces)
    }
    return text
  })
}

describe('readBody', () => {
  test('gives the content in pieces of the buffer', () => {
    expect(read()).toBe(CONTENT)
  })

  test.each<[string, (path: string) => void]>([
    ['grows', (path) => appendFileSync(path, 'more')],
    ['shrinks', (path) => truncateSync(path, 4)],
    ['is written to', (path) => writeFileSync(path, 'ABCDEFGH', { flag: 'r+' })],
    ['gets another time', (path) => utimesSync(path, 1, 1)]
  ])('refuses a file that %s while it is read', (_name, act) => {
    for (const at of [0, 1, 3]) {
      const disturb = (path: string, piece: number): void => {
        if (piece === at) act(path)
      }
      expect(failure(() => read(disturb))).toMatchObject({
        code: 'FILE_CHANGED',
        facts: { path: 'file' }
      })
    }
  })

  test('refuses a file that was replaced before it was opened', () => {
    const replace = (path: string, piece: number): void => {
      if (piece > 0) return
      writeFileSync(`${path}.new`, CONTENT)
      renameSync(`${path}.new`, path)
    }
    expect(failure(() => read(replace))?.code).toBe('FILE_CHANGED')
  })
})
