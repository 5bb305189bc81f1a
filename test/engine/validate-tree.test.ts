/** Keywords that the caller names: they are compared even where the tree manifest does not state them. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ValidateOptions } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const EMPTY = {
  sha1digest: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  sha256digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
}

let work: string
let path: string

/** An empty file `f` and a link `l`, both beside nothing. */
beforeEach(() => {
  work = makeTemporary()
  path = `${work}/tree`
  mkdirSync(path)
  chmodSync(path, 0o755)
  writeFileSync(`${path}/f`, '')
  chmodSync(`${path}/f`, 0o644)
  symlinkSync('f', `${path}/l`)
  utimesSync(`${path}/f`, 7, 7.25)
})
afterEach(() => removeTemporary(work))

/** Lines of a tree manifest that state nothing but types, and `f` with what is given. */
function manifest(ofFile = ''): string {
  return `. type=dir\nf type=file ${ofFile}\nl type=link\n`
}

/** What differs, as `path keyword: before → after`. */
async function differences(
  text: string,
  options: Pick<ValidateOptions, 'keywords' | 'addKeywords'>
): Promise<string[]> {
  writeFileSync(`${work}/manifest`, text)
  const found = await library.validateTree({
    manifest: `${work}/manifest`,
    path,
    jobs: 1,
    ...options
  })
  expect(found.unchecked).toEqual([])
  return found.differences.flatMap((entry) =>
    entry.changes.map(
      ({ keyword, before, after }) =>
        `${entry.path} ${keyword}: ${before ?? 'none'} → ${after ?? 'none'}`
    )
  )
}

type Case = [keywords: string[], ofFile: string, expected: string[]]

/** Each keyword, and the paths that have a value for it. */
const UNSTATED: readonly Case[] = [
  [['sha1'], '', [`f sha1digest: none → ${EMPTY.sha1digest}`]],
  [['sha1digest'], '', [`f sha1digest: none → ${EMPTY.sha1digest}`]],
  [['sha256'], '', [`f sha256digest: none → ${EMPTY.sha256digest}`]],
  [['md5digest'], '', ['f md5digest: none → d41d8cd98f00b204e9800998ecf8427e']],
  [['rmd160'], '', ['f ripemd160digest: none → 9c1185a5c5e9fc54612808977ee8f548b2258d31']],
  [['cksum'], '', ['f cksum: none → 4294967295']],
  [['link'], '', ['l link: none → f']],
  [['mode'], '', ['. mode: none → 0755', 'f mode: none → 0644', 'l mode: none → 0777']],
  [['type'], '', []],
  [['xattr'], '', []],
  [['device'], '', []],
  [['flags'], '', []],
  [['optional', 'nochange', 'ignore'], '', []]
]

describe('a keyword that is named', () => {
  test.each(UNSTATED)(
    'and not stated differs where there is a value: %j',
    async (keywords, ofFile, expected) => {
      expect(await differences(manifest(ofFile), { keywords })).toEqual(expected)
      expect(await differences(manifest(ofFile), { addKeywords: keywords })).toEqual(expected)
    }
  )

  test('and not stated differs for each path, of those that every path has', async () => {
    for (const keyword of [
      'size',
      'uid',
      'gid',
      'nlink',
      'tar_time',
      'time',
      'uname',
      'gname',
      'inode'
    ]) {
      const found = await differences(manifest(), { keywords: [keyword] })
      expect(found.map((it) => it.replace(/none → \S+$/, ''))).toEqual(
        ['.', 'f', 'l'].map((name) => `${name} ${keyword}: `)
      )
    }
  })

  test('is no difference where it is stated and right, or the path is not to be looked at', async () => {
    const { sha1digest } = EMPTY
    expect(await differences(manifest(`sha1=${sha1digest}`), { keywords: ['sha1digest'] })).toEqual(
      []
    )
    expect(
      await differences(manifest('nochange'), { keywords: ['sha1', 'tar_time'] })
    ).toHaveLength(2)
    expect(await differences('. type=dir ignore\n', { keywords: ['sha1'] })).toEqual([])
  })

  test('is no difference if it was not named, but is used for another path', async () => {
    writeFileSync(`${path}/g`, '')
    const text = `${manifest()}g type=file sha1=${EMPTY.sha1digest} mode=0644\n`
    chmodSync(`${path}/g`, 0o644)
    expect(await differences(text, {})).toEqual([])
  })
})

describe('time and tar_time', () => {
  test.each<[string, string, string[]]>([
    ['time', 'tar_time=7.000000000', []],
    ['time', 'tar_time=8.000000000', ['f time: 8.000000000 → 7.000000000']],
    ['tar_time', 'time=7.500000000', []],
    ['tar_time', 'time=8.250000000', ['f tar_time: 8.000000000 → 7.000000000']],
    ['time', 'time=7.250000000', []],
    ['time', 'time=7.500000000', ['f time: 7.500000000 → 7.250000000']],
    ['tar_time', 'tar_time=7.000000000 time=9.0', []],
    ['tar_time', 'nochange time=9.0', []],
    ['time', 'nochange tar_time=9.0', []]
  ])('stand for each other by whole seconds: %s of %s', async (keyword, ofFile, expected) => {
    const text = `. type=dir ignore nochange\nf type=file ${ofFile}\nl type=link nochange\n`
    const found = await differences(text, { keywords: [keyword] })
    expect(found.filter((it) => it.startsWith('f '))).toEqual(expected)
  })
})

test.runIf(needs('root'))('devices are compared by number, if that is asked for', async () => {
  execFileSync('mknod', [`${path}/null`, 'c', '1', '3'])
  const text = `${manifest()}null type=char\n`
  expect(await differences(text, { keywords: ['device'] })).toEqual([
    'null device: none → linux,1,3'
  ])
})

test.each(['bogus', 'sha1digest ', 'SHA1', 'xattrs_'])(
  'no mtree has the keyword %j',
  async (keyword) => {
    for (const options of [{ keywords: [keyword] }, { addKeywords: ['mode', keyword] }])
      await expect(differences(manifest(), options)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(`unknown keyword "${keyword}"`) as string
      })
  }
)
