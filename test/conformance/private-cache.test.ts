/** The kit makes many images; nothing about them may stay in the cache of whoever runs it. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ociUnpackOk } from '../e2e/cli.ts'
import { needs } from '../support/requires.ts'
import { withTemporary } from '../support/temporary.ts'
import { sessionSet } from './kit.ts'

test.runIf(needs('root'))('in this process and in others, manifests go to a cache of the kit', () =>
  withTemporary((home) => {
    const { XDG_CACHE_HOME } = process.env
    process.env.XDG_CACHE_HOME = `${home}/cache`
    try {
      const cases = ['cold unpack', 'two at once'].map((name) => `--case=${name}`)
      ociUnpackOk('hooks', 'test', '--directory', home, ...cases, sessionSet(`${home}/set`))
      expect(existsSync(`${home}/cache/oci-unpack/manifests`)).toBe(false)
      const kept = ['--keep', '--directory', `${home}/kept`, '--case=cold unpack']
      const { stderr, stdout } = ociUnpackOk('hooks', 'test', ...kept, `${home}/set/hooks.toml`)
      const scratch = /\/\S+oci-unpack-hooks-\w+/.exec(stdout + stderr)![0]
      expect(existsSync(`${scratch}/cache/manifests/session`)).toBe(true)
    } finally {
      process.env.XDG_CACHE_HOME = XDG_CACHE_HOME
    }
  })
)
