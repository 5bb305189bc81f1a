import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromText } from '../../../src/bytes.ts'
import { withWorkspace } from '../../../src/engine/place/with-workspace.ts'
import type { Workspace } from '../../../src/engine/place/workspace.ts'
import { tryLock } from '../../../src/sys/lock.ts'
import { listXattrs } from '../../../src/sys/metadata.ts'
import { needs } from '../../support/requires.ts'
import { codeOf, inScratch } from '../support.ts'

const BODY = 'whole'

/** What an operation does in its workspace: a directory and a file, to be published. */
function fill({ path }: Workspace): void {
  fs.mkdirSync(`${path}/rootfs`)
  fs.writeFileSync(`${path}/umoci.json`, BODY)
}

const NAMES = ['rootfs', 'umoci.json']

function publish(workspace: Workspace): void {
  fill(workspace)
  workspace.publish(NAMES)
}

const run = (destination: string, act: (workspace: Workspace) => void): Promise<void> =>
  withWorkspace(
    destination,
    () => undefined,
    (workspace) => {
      act(workspace)
      return Promise.resolve()
    }
  )

const tree = (path: string): string[] =>
  fs.readdirSync(path, { recursive: true }).map(String).sort()

describe('a workspace that is published', () => {
  test('becomes the destination, with its missing parents', () =>
    inScratch(async (work) => {
      await run(`${work}/a/b/bundle`, publish)
      expect(tree(work)).toEqual([
        'a',
        'a/b',
        'a/b/bundle',
        'a/b/bundle/rootfs',
        'a/b/bundle/umoci.json'
      ])
      expect(fs.statSync(`${work}/a/b/bundle`).mode & 0o7777).toBe(0o700)
    }))

  test('finds what a run that died has left beside a destination that is there now', () =>
    inScratch(async (work) => {
      for (const name of [
        'bundle',
        '.bundle.oci-unpack-0123456789ab',
        '.other.oci-unpack-0123456789ab'
      ])
        fs.mkdirSync(`${work}/${name}`)
      await run(`${work}/bundle`, publish)
      expect(fs.readdirSync(work)).toEqual(['.other.oci-unpack-0123456789ab', 'bundle'])
    }))

  test('adds to a directory that exists, closes it to others and touches nothing else there', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/bundle`, { mode: 0o750 })
      fs.writeFileSync(`${work}/bundle/mine`, 'mine')
      await run(`${work}/bundle`, publish)
      expect(tree(`${work}/bundle`)).toEqual(['mine', ...NAMES])
      expect(fs.statSync(`${work}/bundle`).mode & 0o7777).toBe(0o700)
    }))

  test('goes where a link to a directory leads', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/real`)
      fs.symlinkSync('real', `${work}/link`)
      await run(`${work}/link`, publish)
      expect(tree(`${work}/real`)).toEqual(NAMES)
    }))

  test('may give one directory of its own alone', () =>
    inScratch(async (work) => {
      await run(`${work}/made`, (workspace) => {
        fill(workspace)
        workspace.publishOnly(fromText('rootfs'))
      })
      expect(tree(work)).toEqual(['made'])
    }))

  test('has a name with any letters', () =>
    inScratch(async (work) => {
      await run(`${work}/ü bundle`, publish)
      expect(tree(`${work}/ü bundle`)).toEqual(NAMES)
    }))
})

describe('after a failure', () => {
  const failing = (workspace: Workspace): void => {
    fill(workspace)
    throw new Error('broken')
  }

  test('nothing is left, not even parents that were made', () =>
    inScratch(async (work) => {
      await expect(run(`${work}/a/b/bundle`, failing)).rejects.toThrow('broken')
      expect(tree(work)).toEqual([])
    }))

  test('parents that were there stay, and what somebody else put into a new one', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/old`)
      const failed = run(`${work}/old/new/bundle`, () => {
        fs.writeFileSync(`${work}/old/new/foreign`, '')
        throw new Error('broken')
      })
      await expect(failed).rejects.toThrow('broken')
      expect(tree(work)).toEqual(['old', 'old/new', 'old/new/foreign'])
    }))

  test('an existing destination has what it had', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/bundle`, { mode: 0o750 })
      fs.writeFileSync(`${work}/bundle/mine`, 'mine')
      await expect(run(`${work}/bundle`, failing)).rejects.toThrow('broken')
      expect(tree(work)).toEqual(['bundle', 'bundle/mine'])
      expect(fs.statSync(`${work}/bundle`).mode & 0o7777).toBe(0o750)
    }))
})

describe('when somebody else is faster', () => {
  test('what appeared at the destination stays', () =>
    inScratch(async (work) => {
      const late = run(`${work}/bundle`, (workspace) => {
        fill(workspace)
        fs.mkdirSync(`${work}/bundle`)
        workspace.publish(NAMES)
      })
      expect(await codeOf(late)).toBe('BUNDLE_EXISTS')
      expect(tree(work)).toEqual(['bundle'])
    }))

  test('what appeared in the destination stays, and what was added before goes again', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/bundle`)
      const late = run(`${work}/bundle`, (workspace) => {
        fill(workspace)
        fs.writeFileSync(`${work}/bundle/umoci.json`, 'theirs')
        workspace.publish(NAMES)
      })
      expect(await codeOf(late)).toBe('BUNDLE_EXISTS')
      expect(tree(work)).toEqual(['bundle', 'bundle/umoci.json'])
      expect(fs.readFileSync(`${work}/bundle/umoci.json`, 'utf8')).toBe('theirs')
    }))

  test('a destination that another process holds is left alone', () =>
    inScratch(async (work) => {
      fs.mkdirSync(`${work}/bundle`)
      const holder = fs.openSync(`${work}/bundle`, 'r')
      try {
        expect(tryLock(holder, 'exclusive')).toBe(true)
        expect(await codeOf(run(`${work}/bundle`, publish))).toBe('BUNDLE_EXISTS')
      } finally {
        fs.closeSync(holder)
      }
      expect(tree(work)).toEqual(['bundle'])
    }))

  test('two at once make one whole bundle', () =>
    inScratch(async (work) => {
      const codes = await Promise.all([1, 2].map(() => codeOf(run(`${work}/bundle`, publish))))
      expect(codes.sort()).toEqual(['BUNDLE_EXISTS', 'no failure'])
      expect(tree(work)).toEqual(['bundle', 'bundle/rootfs', 'bundle/umoci.json'])
    }))
})

test.each(['file', 'dangling'])('a destination that is no directory (%s) is refused', (name) =>
  inScratch(async (work) => {
    fs.writeFileSync(`${work}/file`, BODY)
    fs.symlinkSync('nowhere', `${work}/dangling`)
    expect(await codeOf(run(`${work}/${name}`, publish))).toBe('BUNDLE_EXISTS')
    expect(tree(work)).toEqual(['dangling', 'file'])
  })
)

describe.runIf(needs('root', 'setfacl'))('what a place passes on to new directories', () => {
  test('ends at the workspace: no default ACL, no set-group-ID bit', () =>
    inScratch(async (work) => {
      expect(spawnSync('setfacl', ['-d', '-m', 'u:1:rwx', work]).status).toBe(0)
      fs.chownSync(work, 0, 7)
      fs.chmodSync(work, 0o2777)
      await run(`${work}/bundle`, (workspace) => {
        publish(workspace)
        expect(listXattrs(workspace.fd, '')).toEqual([])
        expect(listXattrs(workspace.fd, 'rootfs')).toEqual([])
      })
      expect(fs.statSync(`${work}/bundle`).mode & 0o7777).toBe(0o700)
      expect(fs.statSync(`${work}/bundle/rootfs`).gid).toBe(0)
    }))
})
