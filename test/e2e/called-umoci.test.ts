/** A symbolic link named umoci: programs that look at umoci's help or version find what they look for. */
import { symlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run, type Run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'

const [node, main] = ociUnpackCommand

let work = ''
beforeAll(() => {
  work = makeTemporary()
  symlinkSync(main, `${work}/umoci`)
})
afterAll(() => removeTemporary(work))

function asUmoci(...args: string[]): Run {
  return run(node, `${work}/umoci`, ...args)
}

describe.runIf(needs('umoci'))("called umoci, beside Debian's", () => {
  test('the version is a release of umoci, and tells whose build', () => {
    const [ours, theirs] = [asUmoci('--version'), run('umoci', '--version')]
    const pattern = /^umoci version (?<release>\d+\.\d+\.\d+)\+\S+\n$/
    expect(ours.stdout).toContain('+oci-unpack.')
    expect(pattern.exec(ours.stdout)?.groups).toEqual(pattern.exec(theirs.stdout)?.groups)
    expect(asUmoci('-v')).toEqual(ours)
  })

  test.each([
    ['--help'],
    ['raw', '--help'],
    ['config', '--help'],
    ['unpack', '--help'],
    ['raw', 'add-layer', '-h'],
    ['help', 'insert']
  ])('the help has the same sections: %s %s', (...args: string[]) => {
    const [ours, theirs] = [asUmoci(...args), run('umoci', ...args)]
    expect(sections(ours.stdout)).toEqual(sections(theirs.stdout).filter((it) => it !== 'AUTHOR'))
    expect(ours.stdout.split(' - ')[0]).toBe(theirs.stdout.split(' - ')[0])
    expect(ours).toMatchObject({ status: theirs.status, stderr: theirs.stderr })
  })

  test('the help of config has all of its flags, in its columns', () => {
    const flags = ({ stdout }: Run): string[] => stdout.match(/^ {3}--[\w.-]+(?: value)?/gm) ?? []
    expect(flags(asUmoci('config', '--help'))).toEqual(
      expect.arrayContaining(flags(run('umoci', 'config', '--help')))
    )
  })

  test('no arguments print the help', () => {
    expect(asUmoci()).toEqual(asUmoci('--help'))
    expect(asUmoci('raw')).toEqual(asUmoci('raw', '--help'))
  })
})

test('everything else is the same by either name', () => {
  const { reference } = buildImage(`${work}/layout`, { layers: [tar(file('x'))] })
  expect(asUmoci('config', '--image', reference, '--author=me').status).toBe(0)
  for (const args of [['nope'], ['config'], ['config', '--image', `${work}/nowhere`]])
    expect(asUmoci(...args)).toEqual(ociUnpack(...args))
  expect(ociUnpack('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(ociUnpack('config', '--help').stdout).toContain('Usage: oci-unpack config')
})

function sections(help: string): string[] {
  return help.match(/^[A-Z ]+(?=:$)/gm) ?? []
}
