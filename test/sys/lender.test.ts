import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { evaluateAsUser, giveToUser } from '../support/as-user.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let scratch: string
let at: string

beforeEach(() => {
  scratch = makeTemporary()
  at = `${scratch}/at`
  fs.mkdirSync(`${at}/tree/none/inner`, { recursive: true })
  fs.mkdirSync(`${at}/tree/list`)
  fs.mkdirSync(`${at}/beside/inner`, { recursive: true })
  fs.writeFileSync(`${at}/tree/none/file`, 'content')
  fs.symlinkSync('../beside', `${at}/tree/link`)
  giveToUser(at)
  for (const [path, mode] of [
    ['tree/none/file', 0o200],
    ['tree/none/inner', 0],
    ['tree/none', 0],
    ['tree/list', 0o600],
    ['beside/inner', 0],
    ['beside', 0]
  ] as const)
    fs.chmodSync(`${at}/${path}`, mode)
})

afterEach(() => removeTemporary(scratch))

/** Runs with a `lender` for `tree`, and its `ledger`. */
const lending = (script: string): unknown =>
  evaluateAsUser(
    at,
    `const { ledgerInMemory } = await m('sys/ledger')
     const { putModesBack } = await m('sys/put-modes-back')
     const { Lender, openTree } = await m('sys/lender')
     const base = fs.openSync(at)
     const ledger = ledgerInMemory(base, 'tree')
     const root = openTree(ledger)
     const lender = new Lender(root, ledger)
     ${script}`
  )

const MODES = `['tree/none', 'tree/none/inner', 'tree/list', 'beside'].map((path) => {
  try { return mode(path) } catch (error) { return error.code }
})`

describe.runIf(needs('root', 'setpriv'))('what modes keep their owner out of', () => {
  test('is opened up on the way, until modes are put back', () => {
    const found = lending(`
      lender.openDirectory('none/inner')
      lender.openDirectory('list')
      const open = ${MODES}
      putModesBack(ledger)
      const closed = mode('tree/none')
      return [open, closed, mode('tree/list')]`)
    expect(found).toEqual([['700', '700', '700', '0'], '0', '600'])
    expect(fs.statSync(`${at}/tree/none/inner`).mode & 0o7777).toBe(0)
  })

  test('keeps another mode that it got meanwhile, as does another object of its name', () => {
    lending(`
      lender.openDirectory('none/inner')
      lender.openDirectory('list')
      fs.chmodSync(at + '/tree/list', 0o711)
      fs.rmdirSync(at + '/tree/none/inner')
      fs.mkdirSync(at + '/tree/none/between')
      fs.mkdirSync(at + '/tree/none/inner', 0o700)
      putModesBack(ledger)
      return []`)
    const mode = (path: string): number => fs.statSync(`${at}/tree/${path}`).mode & 0o7777
    expect(['none', 'none/inner', 'list'].map(mode)).toEqual([0, 0o700, 0o711])
  })

  test.each([
    ['through a link', `lender.openDirectory('link/inner')`, 'ELOOP'],
    ['a link', `lender.openDirectory('link')`, 'ELOOP'],
    ['above the tree', `new Lender(base, { ...ledger, at: '' }).openDirectory('beside')`, 'EACCES'],
    [
      'on another mount',
      `new Lender(root, { ...ledger, mount: '0:0' }).openDirectory('none')`,
      'EACCES'
    ],
    ['that is not there', `lender.openDirectory('nothing/inner')`, 'ENOENT']
  ])('stays as it is: %s', (_name, act, errno) => {
    const [said, modes] = lending(`
      const said = await errno(() => ${act})
      return [said, ${MODES}]`) as [string, string[]]
    expect(said).toBe(errno)
    expect(modes).toEqual(['0', 'EACCES', '600', '0'])
  })

  test('is a file: it is readable only while it is opened, and a change before that is seen', () => {
    const found = lending(`
      const { status } = await m('sys/status')
      const { readBody } = await m('rootfs/read-body')
      const directory = lender.openDirectory('none')
      const lent = { lender, path: 'none/file' }
      const read = (found) => {
        const pieces = readBody(directory, 'file', found, () => Buffer.alloc(100), lent)
        const text = pieces.next().value.toString()
        const during = mode('tree/none/file')
        pieces.return()
        return [text, during]
      }
      const before = status(directory, 'file')
      fs.utimesSync(at + '/tree/none/file', before.atimeSec, 5)
      fs.utimesSync(at + '/tree/none/file', before.atimeSec, before.mtimeSec + before.mtimeNsec / 1e9)
      const after = status(directory, 'file')
      const stale = { ...after, ctimeNsec: after.ctimeNsec - 1 }
      return [read(after), await errno(() => read(stale))]`)
    expect(found).toEqual([['content', '200'], 'FILE_CHANGED'])
  })

  test('is recorded as it was, also if only some of it is looked at', () => {
    const found = lending(`
      const { scanListed } = await m('engine/tree/scan-listed')
      const { fromText } = await m('bytes')
      const listed = { entries: new Set(['none/inner/x', 'none/file', 'list/x']), trees: new Set() }
      const seen = () => {
        const tree = scanListed(root, listed, ledger)
        return ['none', 'none/inner', 'list'].map((path) => tree.find(path).status.mode)
      }
      return [seen(), seen()]`)
    expect(found).toEqual([
      [0, 0, 0o600],
      [0, 0, 0o600]
    ])
  })
})
