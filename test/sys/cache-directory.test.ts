/** Where caches are for users who have no home. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { AS_USER, giveToUser, runAsUser } from '../support/as-user.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from '../e2e/cli.ts'

const work = makeTemporary()
afterAll(() => removeTemporary(work))

describe.runIf(needs('root', 'setpriv'))('a user without an account', () => {
  test.each([
    [[], 'undefined'],
    [['HOME='], 'undefined'],
    [['HOME=/'], 'undefined'],
    [['HOME=relative'], 'undefined'],
    [['HOME=/home/a'], '/home/a/.cache/oci-unpack'],
    [['HOME=/', 'XDG_CACHE_HOME=/caches'], '/caches/oci-unpack']
  ])('with %s', (environment, expected) => {
    const script = `import { cacheDirectory } from '${moduleUrl}'; console.log(cacheDirectory())`
    const words = [
      ...NO_CACHE,
      ...environment,
      process.execPath,
      '--input-type=module',
      '-e',
      script
    ]
    expect(execFileSync(words[0]!, words.slice(1), { encoding: 'utf8' })).toBe(`${expected}\n`)
  })

  test('has one warning where an index would be kept, and an error where it must be', () => {
    const box = `${work}/box`
    mkdirSync(box)
    const layers = [tar(file('disk/a', 'a')), tar(file('b', 'b'))]
    const { reference } = buildImage(`${box}/layout`, { layers })
    giveToUser(box)
    const words = [...ociUnpackCommand, 'file', 'serve', '--image', reference, '--disk', 'b']
    const served = runAsUser('-u', 'XDG_CACHE_HOME', `TMPDIR=${box}`, ...words, '--run', 'true')
    expect(served.status).toBe(0)
    expect(served.stderr.match(/cannot be kept/g)).toHaveLength(1)
    expect(served.stderr).toContain('neither a home directory nor XDG_CACHE_HOME')
    const index = [...ociUnpackCommand, 'file', 'index', '--image', reference]
    const { status, stderr } = runAsUser('-u', 'XDG_CACHE_HOME', ...index)
    expect(status).toBe(1)
    expect(stderr).toMatch(/\[USAGE\][^]*Give --index a directory\./)
  })
})

const NO_CACHE = [...AS_USER, '-u', 'XDG_CACHE_HOME']
const moduleUrl = new URL('../../build/sys/cache-directory.js', import.meta.url).href
