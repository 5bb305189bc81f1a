import { spawnSync } from 'node:child_process'
import { fstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openBeneath, openByComponents, openByKernel } from '../../src/sys/beneath.ts'
import { SyscallError } from '../../src/sys/failure.ts'
import { close, openOperatorDirectory } from '../../src/sys/files.ts'
import { withScratch } from '../support/open-directory.ts'

/** What is found, by its path in the tree; or the errors that say that nothing is. */
type Result = { at: string } | { fails: string[] }

const LINK_IN_THE_WAY = { fails: ['ELOOP', 'ENOTDIR'] }

const TABLE: readonly [path: string, result: Result][] = [
  ['d', { at: 'd' }],
  ['d/e', { at: 'd/e' }],
  ['\xff', { at: '\xff' }],
  ['...', { at: '...' }],
  ['link', LINK_IN_THE_WAY],
  ['link/e', LINK_IN_THE_WAY],
  ['d/inner', LINK_IN_THE_WAY],
  ['root', LINK_IN_THE_WAY],
  ['root/etc', LINK_IN_THE_WAY],
  ['up/d', LINK_IN_THE_WAY],
  ['loop/x', LINK_IN_THE_WAY],
  ['magic', LINK_IN_THE_WAY],
  ['dangling', LINK_IN_THE_WAY],
  ['missing', { fails: ['ENOENT'] }],
  ['missing/e', { fails: ['ENOENT'] }],
  ['d/missing', { fails: ['ENOENT'] }],
  ['file', { fails: ['ENOTDIR'] }],
  ['file/e', { fails: ['ENOTDIR'] }]
]

const UNCLEANED = ['..', '.', '../x', 'd/..', 'd/../d', 'd/./e', '/', '/etc', 'd//e', 'd/', '']

describe.each([
  ['openat2', openByKernel],
  ['one openat for each component', openByComponents]
])('with %s', (_name, open) => {
  test.each(TABLE)('"%s" leads where it says, or nowhere', (path, result) => {
    withTree((fd, tree) => {
      if ('at' in result) expect(inodeAt(() => open(fd, path))).toBe(inode(tree, result.at))
      else expect(result.fails).toContain(failureOf(() => open(fd, path)))
    })
  })

  test.each(UNCLEANED)('"%s" is a mistake of the caller', (path) => {
    withTree((fd) => expect(() => open(fd, path)).toThrow('[internal] uncleaned path'))
  })

  test('no descriptor is left open after a failure', () => {
    withTree((fd) => {
      const before = nextDescriptor()
      for (let round = 0; round < 20; round++) failureOf(() => open(fd, 'd/e/missing'))
      expect(nextDescriptor()).toBe(before)
    })
  })
})

test('the empty path is the root itself, by a descriptor of its own', () => {
  withTree((fd, tree) => {
    const own = openBeneath(fd, '')
    expect(own).not.toBe(fd)
    expect(inodeAt(() => own)).toBe(inode(tree, '.'))
  })
})

test.each([
  ['1', 'openat("link"'],
  ['', 'openat2("link"']
])('OCI_UNPACK_NO_OPENAT2=%s is served by %s', (value, call) => {
  withTree((_fd, tree) => {
    const script = `
      const { openBeneath } = await import(process.argv[1] + '/sys/beneath.js')
      const { openOperatorDirectory } = await import(process.argv[1] + '/sys/files.js')
      const root = openOperatorDirectory(process.argv[2])
      openBeneath(root, 'd/e')
      try { openBeneath(root, 'link') } catch (error) { console.log(error.facts.call) }`
    const dist = new URL('../../build', import.meta.url).pathname
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, dist, tree],
      { encoding: 'utf8', env: { ...process.env, OCI_UNPACK_NO_OPENAT2: value } }
    )
    expect(stderr).toBe('')
    expect(stdout).toContain(call)
  })
})

function withTree(work: (fd: number, tree: string) => void): void {
  withScratch((fd, tree) => {
    for (const name of ['d/e', '...']) mkdirSync(`${tree}/${name}`, { recursive: true })
    mkdirSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff])]))
    writeFileSync(`${tree}/file`, '')
    for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, `${tree}/${name}`)
    work(fd, tree)
  })
}

const LINKS = {
  link: 'd',
  'd/inner': 'e',
  root: '/',
  up: '..',
  loop: 'loop',
  magic: '/proc/self/cwd',
  dangling: 'nothing'
}

function inode(tree: string, path: string): number {
  return statSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, 'latin1')])).ino
}

function inodeAt(open: () => number): number {
  const fd = open()
  const { ino } = fstatSync(fd)
  close(fd)
  return ino
}

function failureOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return error instanceof SyscallError ? error.errno : String(error)
  }
}

/** The lowest free descriptor: what the next call that opens something gets. */
function nextDescriptor(): number {
  const fd = openOperatorDirectory('/')
  close(fd)
  return fd
}
