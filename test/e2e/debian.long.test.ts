import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ok } from '../support/run.ts'
import { ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'
import { documentedDifferences } from './differences.ts'

describe.runIf(needs(...DEBIAN_NEEDS))('a real Debian image', { timeout: 300_000 }, () => {
  let work: string
  let layout: string

  beforeAll(() => {
    work = makeTemporary()
    layout = debianLayout()
    ok('umoci', 'unpack', '--image', `${layout}:debian`, `${work}/umoci`)
    ociUnpackOk('unpack', '--image', `${layout}:debian`, `${work}/ours`)
  }, 600_000)
  afterAll(() => removeTemporary(work))

  test('unpacks to the tree that umoci makes', () => {
    const ignore = documentedDifferences()
    expect(compareTrees(`${work}/ours/rootfs`, `${work}/umoci/rootfs`, ignore)).toEqual([])
  })

  test.each([
    ['its zstd copy', 'zstd', []],
    ['its Docker schema 2 copy', 'docker', []],
    ['one job', 'debian', ['--jobs', '1']],
    ['more jobs than layers', 'debian', ['--jobs', '9']],
    ['no external decompressor', 'debian', ['--decompressor', 'none']]
  ])('unpacks to the same tree from %s', (_name, tag, options) => {
    const rootfs = `${work}/${tag}${options.join('')}`
    ociUnpackOk('raw', 'unpack', '--image', `${layout}:${tag}`, ...options, rootfs)
    expect(compareTrees(`${work}/ours/rootfs`, rootfs)).toEqual([])
    removeTemporary(rootfs)
  })

  test('has holes where a file is zero', () => {
    const { blocks, size } = lstatSync(`${work}/ours/rootfs/srv/pax/sparse`)
    expect(size).toBe(40 << 20)
    expect(blocks * 512).toBeLessThan(1 << 20)
  })

  test('gets the manifest that umoci writes', () => {
    const [ours, theirs] = ['ours', 'umoci'].map((bundle) => manifestLines(`${work}/${bundle}`))
    expect(ours).toEqual(theirs)
  })

  test('is not repacked by umoci while nothing is changed', () => {
    ok('cp', '-a', layout, `${work}/layout`)
    ok('umoci', 'repack', '--image', `${work}/layout:again`, `${work}/ours`)
    expect(layerCount(`${work}/layout`, 'again')).toBe(layerCount(layout, 'debian'))
  })

  test.runIf(needs('runc'))('runs', () => {
    setProcess(`${work}/ours`, { terminal: false, args: ['/usr/bin/perl', '-e', 'print "alive"'] })
    const id = `oci-unpack-test-${String(process.pid)}`
    expect(ok('runc', 'run', '--bundle', `${work}/ours`, id).stdout).toBe('alive')
  })
})

/**
 * Without what is not the image's: comments (user, date), sizes of directories, umoci's random order of xattrs.
 */
function manifestLines(bundle: string): string[] {
  const name = ok('sh', '-c', `ls ${bundle} | grep mtree`).stdout.trim()
  return readFileSync(`${bundle}/${name}`, 'latin1')
    .split('\n')
    .filter((line) => !/^#\s+(user|machine|tree|date):/.test(line))
    .map((line) => (line.includes('type=dir') ? line.replace(/ size=\d+/, '') : line))
    .map((line) =>
      line
        .split(/ (?=xattr\.)/)
        .sort()
        .join(' ')
    )
}

function layerCount(layout: string, tag: string): number {
  const stat = ok('umoci', 'stat', '--json', '--image', `${layout}:${tag}`).stdout
  const { history } = JSON.parse(stat) as { history: { empty_layer?: boolean }[] }
  return history.filter((entry) => entry.empty_layer !== true).length
}

function setProcess(bundle: string, more: object): void {
  const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as { process: object }
  Object.assign(config.process, more)
  writeFileSync(`${bundle}/config.json`, JSON.stringify(config))
}
