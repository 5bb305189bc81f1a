/** Images of a real image are clean for the programs of Debian 13, which read more of them than those of Debian 12. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const cached = new URL('../erofs-utils/cached.sh', import.meta.url).pathname
const runnable = longTests() && needs(...DEBIAN_NEEDS, 'apt-get', 'dpkg-deb')

describe.runIf(runnable)('fsck.erofs of Debian 13', { timeout: 600_000 }, () => {
  test('finds no errors, and every body of the joined image', () => {
    const work = makeTemporary()
    try {
      const images = `${work}/images`
      ociUnpackOk('erofs', 'make', '--image', `${debianLayout()}:debian`, images)
      const { devices } = JSON.parse(readFileSync(`${images}/erofs.json`, 'utf8')) as {
        devices: { name: string }[]
      }
      const programs = ok(cached).stdout.trim()
      const fsck = (...args: string[]): string => {
        const { stdout, stderr } = ok(`${programs}/fsck.erofs`, '-d3', ...args)
        return stdout + stderr
      }
      for (const { name } of devices) expect(fsck(`${images}/${name}`)).toContain('No errors found')
      const options = devices.map(({ name }) => `--device=${images}/${name}`)
      const whole = ['--extract', ...options, `${images}/merged.erofs`]
      expect(fsck(...whole)).toContain('No errors found')
    } finally {
      removeTemporary(work)
    }
  })
})
