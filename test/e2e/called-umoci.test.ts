/** A symbolic link named umoci: programs that look at umoci's help or version find what they look for. */
import { readFileSync, symlinkSync } from 'node:fs'
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
    for (const { stdout } of [ours, theirs])
      expect(stdout).toMatch(/^umoci version \d+\.\d+\.\d+\+\S+\n/)
    expect(ours.stdout).toMatch(/^umoci version 0\.6\.0\+oci-unpack\./)
    for (const other of ['-v', '-version', '--v']) expect(asUmoci(other)).toEqual(ours)
  })

  test('the version is followed by those of the specifications, as in newer releases', () => {
    const bundle = `${work}/config.json`
    const { reference } = buildImage(`${work}/for-config`, { layers: [] })
    expect(asUmoci('raw', 'config', '--image', reference, bundle).status).toBe(0)
    const { ociVersion } = JSON.parse(readFileSync(bundle, 'utf8')) as { ociVersion: string }
    const [, ...lines] = asUmoci('--version').stdout.trimEnd().split('\n')
    expect(lines).toEqual(['image spec: 1.1.1', `runtime spec: ${ociVersion}`])
  })

  test.each([
    ['--help'],
    ['raw', '--help'],
    ['config', '--help'],
    ['unpack', '--help'],
    ['raw', 'add-layer', '-h'],
    ['help', 'insert'],
    ['h'],
    ['h', 'insert'],
    ['raw', 'h', 'unpack'],
    ['-help'],
    ['unpack', '-help'],
    ['raw', '-help']
  ])('the help has the same sections: %s %s', (...args: string[]) => {
    const [ours, theirs] = [asUmoci(...args), run('umoci', ...args)]
    expect(sections(ours.stdout)).toEqual(sections(theirs.stdout).filter((it) => it !== 'AUTHOR'))
    expect(ours.stdout.split(' - ')[0]).toBe(theirs.stdout.split(' - ')[0])
    expect(ours).toMatchObject({ status: theirs.status, stderr: theirs.stderr })
  })

  test('the help of the program begins with the same line', () => {
    const named = (help: string): string[] => help.split('\n').slice(0, 2)
    expect(named(asUmoci().stdout)).toEqual(named(run('umoci').stdout))
    expect(named(asUmoci().stdout)).toEqual([
      'NAME:',
      '   umoci - umoci modifies Open Container images'
    ])
  })

  test.each([[['help', 'nope']], [['h', 'nope']], [['raw', 'h', 'nope']]])(
    'there is no help for what does not exist: %j',
    (args) => {
      const theirs = run('umoci', ...args)
      expect(theirs).toMatchObject({ status: 3, stderr: "No help topic for 'nope'\n" })
      const ours = asUmoci(...args)
      expect(ours).toMatchObject({ status: 3, stdout: '' })
      expect(ours.stderr).toContain(theirs.stderr.trimEnd())
      expect(ociUnpack(...args)).toEqual(ours)
    }
  )

  test('the help of config has all of its flags, in its columns', () => {
    const flags = ({ stdout }: Run): string[] => stdout.match(/^ {3}--[\w.-]+(?: value)?/gm) ?? []
    expect(flags(asUmoci('config', '--help'))).toEqual(
      expect.arrayContaining(flags(run('umoci', 'config', '--help')))
    )
  })

  test('no arguments print the help', () => {
    expect(asUmoci()).toEqual(asUmoci('--help'))
    const help = asUmoci('raw', '--help')
    for (const args of [['raw'], ['raw', 'h']]) expect(asUmoci(...args)).toEqual(help)
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
