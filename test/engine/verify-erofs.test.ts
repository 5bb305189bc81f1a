/** Verifying EROFS images can be stopped. */
import { truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { codeOf, inScratch } from './support.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
/** Takes seconds to hash. */
const SIZE = 2 ** 33

test('a signal ends it while what is for virtual machines is hashed', () =>
  inScratch(async (directory) => {
    const file = (name: string, size: number): object => ({ name, digest: DIGEST, size })
    const set = {
      formatVersion: 1,
      image: { digest: DIGEST, chainId: DIGEST },
      merged: file('merged.erofs', 4096),
      devices: [{ ...file('a.erofs', 4096), diffId: DIGEST }],
      linear: file('linear.erofs', SIZE)
    }
    writeFileSync(`${directory}/erofs.json`, JSON.stringify(set))
    writeFileSync(`${directory}/linear.erofs`, '')
    truncateSync(`${directory}/linear.erofs`, SIZE)
    const controller = new AbortController()
    const { signal } = controller
    const timer = setTimeout(() => controller.abort(), 300)
    const done = codeOf(library.verifyErofs({ directory, jobs: 1, signal }))
    expect(await done).toBe('ABORTED')
    clearTimeout(timer)
  }))
