/** Raw unpack over a tree, with a call of the kernel that fails or a kill in the middle of the join. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { undo } from '../../src/rootfs/journal.ts'
import { identitySnapshot, snapshot } from '../reference/snapshot.ts'
import { buildImage } from '../support/image-builder.ts'
import { withOpen } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { run, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

const LAYERS = [
  tar(
    directory('d/', { mode: 0o711 }),
    file('d/replaced', 'new'),
    file('d/.wh.deleted'),
    hardlink('linked', 'kept'),
    symlink('was-directory', 'd')
  ),
  tar(...['a', 'b', 'c', 'e'].map((name) => file(`undescribed/${name}`, name)))
]

describe.runIf(needs('root', 'strace'))('over a tree', () => {
  let work: string
  let root: string
  let image: string
  let before: string
  beforeEach(() => {
    work = makeTemporary()
    root = `${work}/root`
    fs.mkdirSync(`${root}/d`, { recursive: true })
    fs.mkdirSync(`${root}/was-directory/inner`, { recursive: true })
    fs.mkdirSync(`${root}/undescribed`, { mode: 0o2750 })
    for (const name of ['d/replaced', 'd/deleted', 'd/mine', 'kept', 'was-directory/inner/mine'])
      fs.writeFileSync(`${root}/${name}`, 'old')
    fs.chownSync(`${root}/undescribed`, 7, 9)
    for (const path of ['undescribed', 'd', 'was-directory', '.'])
      fs.utimesSync(`${root}/${path}`, 5, 7.123456789)
    image = buildImage(`${work}/layout`, { layers: LAYERS }).reference
    before = identitySnapshot(root)
  })
  afterEach(() => removeTemporary(work))

  function unpackWith(injection: string): Run {
    const trace = ['-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', `inject=${injection}`]
    const command = [...ociUnpackCommand, 'raw', 'unpack', '--image', image, root]
    return run('strace', ...trace, ...command)
  }

  test.each([
    'renameat2:error=ENOSPC:when=5',
    'fchmod:error=EIO:when=2',
    'pwrite64:error=ENOSPC:when=8',
    'unlinkat:error=EIO:when=1'
  ])('%s changes nothing', (injection) => {
    const { status, stderr } = unpackWith(injection)
    expect(stderr).toContain('SYSCALL_FAILED')
    expect(status).toBe(1)
    expect(identitySnapshot(root)).toBe(before)
  })

  test.each([2, 9])('a kill at rename %s is undone by whoever comes next', (when) => {
    unpackWith(`renameat2:signal=SIGKILL:when=${when}`)
    const [workspace] = fs.readdirSync(root).filter((name) => name.startsWith('.oci-unpack-'))
    withOpen(root, (ground) =>
      withOpen(join(root, workspace!), (fd) => expect(undo(fd, ground)).toBe(true))
    )
    fs.rmSync(join(root, workspace!), { recursive: true })
    fs.utimesSync(root, 5, 7.123456789)
    expect(identitySnapshot(root)).toBe(before)
  })

  test('what went well before the trash was removed stays', () => {
    unpackWith('unlinkat:signal=SIGKILL:when=3')
    const [workspace] = fs.readdirSync(root).filter((name) => name.startsWith('.oci-unpack-'))
    withOpen(root, (ground) =>
      withOpen(join(root, workspace!), (fd) => expect(undo(fd, ground)).toBe(false))
    )
    expect(fs.readFileSync(`${root}/d/replaced`, 'utf8')).toBe('new')
    expect(fs.readFileSync(`${root}/d/mine`, 'utf8')).toBe('old')
  })

  test('without any of that the undescribed keeps all that it had', () => {
    const { status } = run(...ociUnpackCommand, 'raw', 'unpack', '--image', image, root)
    expect(status).toBe(0)
    const line = (text: string): string | undefined =>
      text.split('\n').find((each) => each.startsWith('./undescribed '))
    expect(line(identitySnapshot(root))).toBe(line(before))
    expect(snapshot(root)).toContain('./undescribed/e ')
  })
})
