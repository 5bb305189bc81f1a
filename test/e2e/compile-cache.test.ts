/** The cache of compiled code, which newer Node has: what is in it is executed. */
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import * as module from 'node:module'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../support/run.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

const KEEPS = 'enableCompileCache' in module

let home: string
beforeEach(() => {
  home = makeTemporary()
})
afterEach(() => removeTemporary(home))

function versionWith(cache: string): string {
  const { status, stdout, stderr } = run(
    'env',
    `XDG_CACHE_HOME=${cache}`,
    ...ociUnpackCommand,
    '--version'
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

test('compiled code is kept where Node can keep it, in a directory of the user', () => {
  const first = versionWith(home)
  expect(existsSync(`${home}/oci-unpack/code`)).toBe(KEEPS)
  if (KEEPS) expect(statSync(`${home}/oci-unpack/code`).mode & 0o777).toBe(0o700)
  expect(versionWith(home)).toBe(first)
})

test('a directory that others may write is not used', () => {
  mkdirSync(`${home}/oci-unpack/code`, { recursive: true })
  chmodSync(`${home}/oci-unpack/code`, 0o777)
  versionWith(home)
  expect(statSync(`${home}/oci-unpack/code`).nlink).toBe(2)
})

test('a directory in one that others may write is not used', () => {
  mkdirSync(`${home}/oci-unpack/code`, { recursive: true })
  chmodSync(`${home}/oci-unpack`, 0o777)
  versionWith(home)
  expect(statSync(`${home}/oci-unpack/code`).nlink).toBe(2)
})

test('a link in the place of the directory is not followed', () => {
  mkdirSync(`${home}/oci-unpack`)
  mkdirSync(`${home}/elsewhere`)
  symlinkSync('../elsewhere', `${home}/oci-unpack/code`)
  versionWith(home)
  expect(statSync(`${home}/elsewhere`).nlink).toBe(2)
})

test.runIf(needs('root'))('a directory of another user is not used', () => {
  mkdirSync(`${home}/oci-unpack/code`, { recursive: true })
  chownSync(`${home}/oci-unpack/code`, 1234, 1234)
  versionWith(home)
  expect(statSync(`${home}/oci-unpack/code`).nlink).toBe(2)
})

test.each([
  ['that does not exist', () => `${home}/nowhere`],
  ['below a file', () => '/dev/null/cache']
])('a home for caches %s is neither made nor needed', (_name, cache) => {
  versionWith(cache())
  expect(existsSync(cache())).toBe(false)
})
