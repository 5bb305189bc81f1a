import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import {
  createLedger,
  findLedger,
  forgetReplaced,
  noteLent,
  noteReplaced,
  type Ledger
} from '../../src/sys/ledger.ts'
import { closeLedger } from '../../src/sys/put-modes-back.ts'
import { close } from '../../src/sys/files.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'

/** Directories of mode 0700 that were closed, and a ledger that says so in the workspace `.w`. */
function withLent(
  use: (it: { fd: number; path: string; workspace: number; ledger: Ledger }) => void
): void {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/.w`, { mode: 0o700 })
    withOpen(`${path}/.w`, (workspace) => {
      const ledger = createLedger(workspace, fd, '')
      for (const name of ['a', 'a/b', 'c']) lend(ledger, path, name)
      use({ fd, path, workspace, ledger })
    })
  })
}

function lend(ledger: Ledger, root: string, path: string): void {
  fs.mkdirSync(`${root}/${path}`, { mode: 0o700 })
  const inode = String(fs.statSync(`${root}/${path}`).ino)
  noteLent(ledger, { path, inode, mode: 0o500, lent: 0o700 })
}

test('never leads out of the tree, whatever somebody wrote into it', () => {
  withScratch((_above, path) => {
    fs.mkdirSync(`${path}/tree/.w`, { recursive: true, mode: 0o700 })
    fs.mkdirSync(`${path}/victim`, { mode: 0o700 })
    const inode = String(fs.statSync(`${path}/victim`).ino)
    for (const way of ['../victim', 'x/../../victim', './../victim', `${path}/victim`])
      withOpen(`${path}/tree`, (tree) =>
        withOpen(`${path}/tree/.w`, (workspace) => {
          const forged = { lent: { path: way, inode, mode: 0o777, lent: 0o700 } }
          fs.writeFileSync(`${path}/tree/.w/modes`, `\n${JSON.stringify(forged)}\n`, {
            mode: 0o600
          })
          closeLedger(findLedger(workspace, tree)!)
          expect(fs.statSync(`${path}/victim`).mode & 0o7777).toBe(0o700)
        })
      )
  })
})

/** Ends the process that has the ledger, and puts back what another finds in it. */
function recovered(workspace: number, fd: number, path: string, ledger: Ledger): string {
  close(ledger.file)
  closeLedger(findLedger(workspace, fd)!)
  return ['a', 'a/b', 'c']
    .map((name) => (fs.statSync(`${path}/${name}`).mode & 0o7777).toString(8))
    .join(' ')
}

test('another process puts back all that is noted', () => {
  withLent(({ fd, path, workspace, ledger }) =>
    expect(recovered(workspace, fd, path, ledger)).toBe('500 500 500')
  )
})

test('modes that the operation set itself stay, but not those that it changed afterwards', () => {
  withLent(({ fd, path, workspace, ledger }) => {
    noteReplaced(ledger, ['a', 'c'])
    const inode = String(fs.statSync(`${path}/c`).ino)
    noteLent(ledger, { path: 'c', inode, mode: 0o100, lent: 0o700 })
    expect(recovered(workspace, fd, path, ledger)).toBe('700 500 100')
  })
})

test('modes that it would have set, had it not been undone, are put back', () => {
  withLent(({ fd, path, workspace, ledger }) => {
    noteReplaced(ledger, ['a', 'c'])
    forgetReplaced(ledger)
    expect(recovered(workspace, fd, path, ledger)).toBe('500 500 500')
  })
})

test('a line that was not written whole says nothing, and does not spoil the next', () => {
  withLent(({ fd, path, workspace, ledger }) => {
    fs.writeSync(ledger.file, '\n{"lent":{"path":"c","ino')
    noteReplaced(ledger, ['c'])
    fs.writeSync(ledger.file, '\n{"repla')
    expect(recovered(workspace, fd, path, ledger)).toBe('500 500 700')
  })
})

test('a ledger that others may write to is not obeyed', () => {
  withLent(({ fd, path, workspace, ledger }) => {
    fs.chmodSync(`${path}/.w/modes`, 0o620)
    expect(findLedger(workspace, fd)).toBeUndefined()
    closeLedger(ledger)
  })
})
