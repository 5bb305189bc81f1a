import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../../src/plan/operations.ts'
import { apply } from '../../src/rootfs/apply.ts'
import { applyWithJournal, createJournal, undo } from '../../src/rootfs/journal.ts'
import { identitySnapshot } from '../reference/snapshot.ts'
import { IMPLICIT } from '../reference/staged-layer.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

const OPTIONS = { implicit: IMPLICIT, onLostXattr: () => undefined }
const REPLACE: Operation[] = [
  { op: 'move', from: 'gone', to: '.w/trash-0' },
  { op: 'move', from: 'a', to: '.w/trash-1' },
  { op: 'move', from: '.w/new', to: 'a' }
]
const FAILS: Operation = { op: 'move', from: 'is not', to: 'there' }

interface Case {
  root: string
  ground: number
  workspace: { fd: number; path: string }
}

/** A tree with the files `a` and `gone`, and a workspace `.w` with a file for it. */
function withTree(work: (it: Case) => void): void {
  withScratch((ground, root) => {
    fs.mkdirSync(`${root}/.w`, { mode: 0o700 })
    for (const name of ['a', 'gone']) fs.writeFileSync(`${root}/${name}`, 'old')
    fs.writeFileSync(`${root}/.w/new`, 'new')
    withOpen(`${root}/.w`, (fd) => work({ root, ground, workspace: { fd, path: '.w' } }))
  })
}

/** The operations are carried out, and the process is gone. */
function leaveBehind({ ground, workspace }: Case, operations: Operation[]): void {
  const journal = createJournal(workspace, ground, operations)
  apply(ground, operations, { ...OPTIONS, onBegin: (index) => journal.begun(index + 1) })
  journal.close()
}

/** The same operation; what it is is read once before the journal is written, and then to carry it out. */
function whenCarriedOut({ root }: Case, operation: Operation, act: () => void): Operation {
  return Object.defineProperty({ ...operation }, 'op', {
    get() {
      if (fs.existsSync(`${root}/.w/journal`)) act()
      return operation.op
    }
  })
}

const read = (path: string): string => fs.readFileSync(path, 'utf8')

test('what went well is not undone', () => {
  withTree(({ root, ground, workspace }) => {
    applyWithJournal(workspace, ground, REPLACE, OPTIONS)
    expect(undo(workspace.fd, ground)).toBe(false)
    expect(read(`${root}/a`)).toBe('new')
  })
})

test('nothing to do needs no journal', () => {
  withTree(({ root, ground, workspace }) => {
    applyWithJournal(workspace, ground, [], { ...OPTIONS })
    expect(fs.readdirSync(`${root}/.w`)).toEqual(['new'])
  })
})

test('a workspace without a journal has nothing to undo', () => {
  withTree(({ ground, workspace }) => expect(undo(workspace.fd, ground)).toBe(false))
})

test('a journal that was not written to its end was never used', () => {
  withTree((it) => {
    createJournal(it.workspace, it.ground, REPLACE).close()
    const journal = `${it.root}/.w/journal`
    fs.writeFileSync(journal, `${'\0'.repeat(10)}${read(journal).slice(10, 40)}`)
    expect(undo(it.workspace.fd, it.ground)).toBe(false)
    expect(read(`${it.root}/a`)).toBe('old')
  })
})

test('before each operation the journal says that it is begun', () => {
  withTree((it) => {
    const seen: string[] = []
    const watched = REPLACE.map((operation) =>
      whenCarriedOut(it, operation, () => seen.push(read(`${it.root}/.w/journal`).slice(0, 11)))
    )
    applyWithJournal(it.workspace, it.ground, watched, OPTIONS)
    expect(seen).toEqual(['0000000001\n', '0000000002\n', '0000000003\n'])
  })
})

describe('where somebody else has taken the place of what is to be put back', () => {
  test('it stays in the workspace, and is put back when the place is free', () => {
    withTree((it) => {
      leaveBehind(it, REPLACE)
      fs.writeFileSync(`${it.root}/gone`, 'of another')
      expect(() => undo(it.workspace.fd, it.ground)).toThrow('it already exists')
      expect(read(`${it.root}/gone`)).toBe('of another')
      expect(read(`${it.root}/.w/trash-0`)).toBe('old')
      fs.rmSync(`${it.root}/gone`)
      expect(undo(it.workspace.fd, it.ground)).toBe(true)
      for (const name of ['a', 'gone']) expect(read(`${it.root}/${name}`)).toBe('old')
    })
  })

  test('the error says so, and what had failed before', () => {
    withTree((it) => {
      const failing = whenCarriedOut(it, FAILS, () => fs.writeFileSync(`${it.root}/gone`, ''))
      let thrown: unknown
      try {
        applyWithJournal(it.workspace, it.ground, [...REPLACE, failing], OPTIONS)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({
        code: 'SYSCALL_FAILED',
        message: expect.stringContaining('could not be undone') as string,
        facts: { reason: expect.stringContaining('it already exists') as string },
        cause: { message: expect.stringContaining('does not exist') as string }
      })
      expect(read(`${it.root}/.w/trash-0`)).toBe('old')
    })
  })
})

test('a link of the same name is not taken for the one that was made', () => {
  withTree((it) => {
    leaveBehind(it, [{ op: 'link', from: 'a', to: 'b' }])
    fs.rmSync(`${it.root}/b`)
    fs.writeFileSync(`${it.root}/b`, 'of another')
    expect(undo(it.workspace.fd, it.ground)).toBe(true)
    expect(read(`${it.root}/b`)).toBe('of another')
  })
})

test('a link in the place of a directory is not followed', () => {
  withTree((it) => {
    const { root } = it
    fs.mkdirSync(`${root}/d`, { mode: 0o700 })
    leaveBehind(it, [{ op: 'set-mode', path: 'd', mode: 0o777 }])
    withScratch((_, outside) => {
      fs.chmodSync(outside, 0o711)
      fs.renameSync(`${root}/d`, `${root}/e`)
      fs.symlinkSync(outside, `${root}/d`)
      expect(undo(it.workspace.fd, it.ground)).toBe(true)
      expect(fs.statSync(outside).mode & 0o777).toBe(0o711)
    })
  })
})

test('a bundle that is published into a directory is taken out of it again', () => {
  withTree((it) => {
    fs.chmodSync(it.root, 0o751)
    fs.utimesSync(it.root, 5, 7)
    const before = identitySnapshot(it.root)
    leaveBehind(it, [
      { op: 'set-mode', path: '', mode: 0o700 },
      { op: 'move', from: '.w/new', to: 'config.json' }
    ])
    expect(fs.statSync(it.root).mode & 0o777).toBe(0o700)
    expect(undo(it.workspace.fd, it.ground)).toBe(true)
    expect(withoutTimesOf('./.w', identitySnapshot(it.root))).toBe(withoutTimesOf('./.w', before))
  })
})

test.runIf(needs('root'))('a journal that another user wrote is not followed', () => {
  withTree((it) => {
    leaveBehind(it, REPLACE)
    fs.chownSync(`${it.root}/.w/journal`, 1000, 1000)
    expect(() => undo(it.workspace.fd, it.ground)).toThrow('Another user')
    expect(read(`${it.root}/a`)).toBe('new')
  })
})

function withoutTimesOf(path: string, lines: string): string {
  return lines
    .split('\n')
    .filter((line) => !line.startsWith(`${path} `))
    .join('\n')
}
