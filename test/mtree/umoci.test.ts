import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromBuffer, toBuffer } from '../../src/bytes.ts'
import { parseTreeManifest } from '../../src/mtree/parse.ts'
import { formatTreeManifest } from '../../src/mtree/write.ts'
import { needs } from '../support/requires.ts'
import { HEADER, toTree } from './builders.ts'

/** Not every file system takes enough xattrs for a line of more than 64 KiB. */
const TMPFS = '/dev/shm'

describe.skipIf(!needs('umoci', 'root', 'setfattr'))("umoci's manifests", () => {
  let work = ''
  let text = ''

  beforeAll(() => {
    work = mkdtempSync(join(TMPFS, 'oci-unpack-mtree-'))
    umoci('init', '--layout', 'layout')
    umoci('new', '--image', 'layout:empty')
    umoci('unpack', '--image', 'layout:empty', 'made')
    fill(join(work, 'made/rootfs'))
    umoci('repack', '--image', 'layout:full', 'made')
    umoci('unpack', '--image', 'layout:full', 'bundle')
    text = fromBuffer(readFileSync(manifestPath()))
  })

  afterAll(() => rmSync(work, { recursive: true }))

  test('are read and written again byte by byte, with every byte that a name can have', () => {
    const manifest = parseTreeManifest(text)
    expect(manifest.unknownKeywords).toEqual([])
    expect(manifest.entries.length).toBeGreaterThan(260)
    expect(body(reformat(text))).toBe(body(text))
  })

  test('leave nothing to repack when we wrote them, with lines of any length', () => {
    const attributes = Array.from({ length: 90 }, (_, index) => [
      `user.a${index}`,
      '\xff'.repeat(900)
    ])
    for (const [name, value] of attributes)
      setXattr(join(work, 'bundle/rootfs/alone'), name!, value!)
    const manifest = parseTreeManifest(text)
    const alone = manifest.entries.find(({ path }) => path === 'alone')!
    alone.xattrs = attributes as [string, string][]
    const ours = [...formatTreeManifest(toTree(manifest.entries), HEADER)].join('')
    expect(ours).toContain('\\\n')
    writeFileSync(manifestPath(), toBuffer(ours))
    expect(layersAfterRepack()).toBe(layersOf('full'))
  })

  test('show a change in our manifests too', () => {
    writeFileSync(join(work, 'bundle/rootfs/alone'), 'changed')
    expect(layersAfterRepack()).toBe(layersOf('full') + 1)
  })

  function umoci(...args: string[]): string {
    return execFileSync('umoci', args, { cwd: work, encoding: 'utf8', stdio: 'pipe' })
  }

  function layersAfterRepack(): number {
    umoci('repack', '--image', 'layout:again', 'bundle')
    return layersOf('again')
  }

  function layersOf(tag: string): number {
    const { history } = JSON.parse(umoci('stat', '--json', '--image', `layout:${tag}`)) as {
      history: { empty_layer: boolean }[]
    }
    return history.filter((item) => !item.empty_layer).length
  }

  function manifestPath(): string {
    const name = readdirSync(join(work, 'bundle')).find((file) => file.endsWith('.mtree'))!
    return join(work, 'bundle', name)
  }
})

function fill(root: string): void {
  for (let byte = 1; byte < 256; byte++) {
    if (byte === 0x2f || byte === 0x2e) continue
    writeFileSync(Buffer.from(`${root}/${String.fromCharCode(byte)}`, 'latin1'), `${byte}`)
  }
  writeFileSync(join(root, 'plain'), 'x')
  writeFileSync(join(root, 'alone'), 'x')
  symlinkSync(' \\*?[#ü', join(root, 'link'))
  mkdirSync(join(root, 'dir with [signs]#/zero'), { recursive: true, mode: 0 })
  mkdirSync(join(root, 'dir/deeper'), { recursive: true })
  mkdirSync(join(root, 'dir-b'))
  execFileSync('mkfifo', [join(root, 'fifo')])
  execFileSync('mknod', [join(root, 'null'), 'c', '1', '3'])
  execFileSync('mknod', [join(root, 'loop'), 'b', '7', '0'])
  execFileSync('ln', [join(root, 'plain'), join(root, 'dir/hard')])
  execFileSync('chown', ['3:4', join(root, 'dir')])
  execFileSync('chmod', ['6755', join(root, 'dir/hard')])
  execFileSync('touch', ['-d', '1969-12-31T23:59:58Z', join(root, 'dir-b')])
  setXattr(join(root, 'dir'), 'user.na me', '\0\xff')
}

function setXattr(path: string, name: string, value: string): void {
  const hex = Buffer.from(value, 'latin1').toString('hex')
  execFileSync('setfattr', ['-n', name, '-v', `0x${hex}`, path])
}

function reformat(text: string): string {
  return [...formatTreeManifest(toTree(parseTreeManifest(text).entries), HEADER)].join('')
}

/** Without the header's comments. */
function body(text: string): string {
  return text.slice(text.indexOf('\n\n'))
}
