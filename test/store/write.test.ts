import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { openLayout } from '../../src/store/layout.ts'
import { openWorkspace, type Workspace } from '../../src/store/layout-workspace.ts'
import { createBlob, putBlob } from '../../src/store/write.ts'
import { noPause } from '../support/no-pause.ts'
import { buildLayout, type TestLayout } from './build-layout.ts'

const hasUmoci = spawnSync('umoci', ['--version']).status === 0
const isRoot = process.geteuid?.() === 0

let built: TestLayout
let workspace: Workspace
beforeEach(async () => {
  built = buildLayout()
  workspace = await openWorkspace(built.path, noPause)
})
afterEach(() => {
  workspace.close()
  built.remove()
})

const visible = (): string[] => readdirSync(join(built.path, 'blobs', 'sha256'))

describe('putBlob', () => {
  test('stores bytes under their digest, also in pieces', () => {
    const whole = putBlob(workspace, Buffer.from('content'))
    expect(whole).toEqual({ digest: digestOf(Buffer.from('content')), size: 7 })
    const pieces = putBlob(workspace, [Buffer.from('con'), Buffer.alloc(0), Buffer.from('tent')])
    expect(pieces).toEqual(whole)
    expect(readFileSync(built.pathOf(whole.digest), 'utf8')).toBe('content')
    expect(visible()).toEqual([whole.digest.slice(7)])
  })

  test('makes the directory of the algorithm where it is missing', () => {
    rmSync(join(built.path, 'blobs', 'sha256'), { recursive: true })
    const { digest } = putBlob(workspace, Buffer.from('content'))
    expect(openLayout(built.path).hasBlob(digest)).toBe(true)
  })

  test('leaves nothing behind where its source fails', () => {
    function* failing(): Generator<Buffer> {
      yield Buffer.from('half')
      throw new Error('the source broke')
    }
    expect(() => putBlob(workspace, failing())).toThrow('the source broke')
    expect(visible()).toEqual([])
    expect(readdirSync(workspace.path)).toEqual([])
  })

  test('shows nothing before it is finished', () => {
    const blob = createBlob(workspace)
    blob.write(Buffer.alloc(100_000))
    expect(visible()).toEqual([])
    blob.finish()
    blob.discard()
    expect(visible()).toHaveLength(1)
  })

  test('respects the umask', () => {
    const before = process.umask(0o027)
    try {
      const { digest } = putBlob(workspace, Buffer.from('content'))
      expect(statSync(built.pathOf(digest)).mode & 0o777).toBe(0o640)
    } finally {
      process.umask(before)
    }
  })

  test.skipIf(!isRoot)(
    'gives what root stores to the owner of the layout (skipped: not root)',
    () => {
      chownSync(built.path, 1234, 4321)
      const { digest } = putBlob(workspace, Buffer.from('content'))
      expect(statSync(built.pathOf(digest))).toMatchObject({ uid: 1234, gid: 4321 })
    }
  )
})

describe('a workspace', () => {
  test('is gone after it is closed, with what was not finished', () => {
    createBlob(workspace).write(Buffer.from('half'))
    workspace.close()
    workspace.close()
    expect(existsSync(workspace.path)).toBe(false)
    expect(readdirSync(built.path).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('needs a directory that exists', async () => {
    await expect(openWorkspace(join(built.path, 'absent'), noPause)).rejects.toMatchObject({
      code: 'SYSCALL_FAILED',
      message: expect.stringContaining('it does not exist') as string
    })
  })

  test.skipIf(!hasUmoci)(
    'survives the garbage collection of umoci, stale ones do not (skipped: no umoci)',
    () => {
      const stale = join(built.path, '.umoci-stale')
      execFileSync('mkdir', [stale])
      execFileSync('umoci', ['gc', '--layout', built.path])
      expect(existsSync(stale)).toBe(false)
      expect(existsSync(workspace.path)).toBe(true)
      putBlob(workspace, Buffer.from('content'))
    }
  )
})
