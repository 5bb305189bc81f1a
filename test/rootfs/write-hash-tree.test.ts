/** Hash trees, beside those of veritysetup. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { treeFacts } from '../../src/rootfs/read-hash-tree.ts'
import { writeHashTree, type HashTree } from '../../src/rootfs/write-hash-tree.ts'
import { failure } from '../support/failure.ts'
import { noise } from '../support/noise.ts'
import { withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'

const BLOCK = 4096
const UUID = 'a1b2c3d4-0000-5000-8000-000000000001'
const uuid = Buffer.from(UUID.replaceAll('-', ''), 'hex')

function write(directory: number, tree: string, check: () => void = () => undefined): HashTree {
  return writeHashTree(directory, { name: 'data', tree, uuid }, check)
}

test.runIf(needs('veritysetup')).each([1, 2, 127, 128, 129, 128 * 128, 128 * 128 + 1])(
  'veritysetup makes the same of %i blocks',
  (blocks) => {
    withScratch((directory, path) => {
      writeFileSync(`${path}/data`, noise(blocks * BLOCK))
      const { rootHash, size } = write(directory, 'ours')
      const options = ['--salt=-', `--uuid=${UUID}`, '--hash=sha256']
      const { stdout } = ok('veritysetup', 'format', `${path}/data`, `${path}/theirs`, ...options)
      expect(stdout).toContain(rootHash)
      const ours = readFileSync(`${path}/ours`)
      expect(ours.equals(readFileSync(`${path}/theirs`))).toBe(true)
      expect(ours.length).toBe(size)
      if (blocks > 1) expect(treeFacts(directory, 'ours').rootHash).toBe(rootHash)
    })
  }
)

test('a file that is cut meanwhile is told', () => {
  withScratch((directory, path) => {
    writeFileSync(`${path}/data`, noise(300 * BLOCK))
    let calls = 0
    const cut = (): void => {
      calls += 1
      if (calls === 2) truncateSync(`${path}/data`, BLOCK)
    }
    expect(failure(() => write(directory, 'ours', cut))!.code).toBe('FILE_CHANGED')
  })
})
