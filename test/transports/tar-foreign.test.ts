/** Archives whose members have to be written anew to be a layer: ACLs of tar, images of LXD, what GNU tar has for itself. */
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copy, unpackRootfs } from '../../src/index.ts'
import { BY_NODE } from '../../src/codec/choice.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { layerTar } from '../../src/transports/layer-tar.ts'
import { parseImageName } from '../../src/transports/image-name.ts'
import { withImages } from '../../src/transports/open-images.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { readArchive } from '../support/archive.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

let work: string
beforeEach(() => (work = makeTemporary()))
afterEach(() => removeTemporary(work))

function written(content: Buffer): string {
  writeFileSync(`${work}/x`, content)
  return `tar:${work}/x`
}

interface Layer {
  mediaType: string
  tar: Buffer
  entries: Map<string, TarEntry>
}

/** The layer of the image that an archive is. */
function layerOf(name: string): Promise<Layer> {
  return withImages(parseImageName(name), {}, async (source) => {
    const [layer] = resolveImage(source, undefined).manifest.layers
    const chunks: Buffer[] = []
    const help = { decompressor: BY_NODE, breathe: () => Promise.resolve() }
    for await (const chunk of layerTar(source, layer!, help)) chunks.push(Buffer.from(chunk))
    const bytes = Buffer.concat(chunks)
    const entries = readArchive(bytes).map(({ entry }) => [entry.name, entry] as const)
    return { mediaType: layer!.mediaType, tar: bytes, entries: new Map(entries) }
  })
}

const GNU_ACL = 'user::rw-\nuser:bin:rwx\ngroup::r--\nmask::r-x\nother::---\n'
const STAR_ACL = 'user::rw-,user:bin:rwx:2,group::r--,mask::r-x,other::---'
const ACL = Buffer.from(
  '02000000' +
    ['01000600ffffffff', '0200070002000000', '04000400ffffffff'].join('') +
    ['10000500ffffffff', '20000000ffffffff'].join(''),
  'hex'
).toString('latin1')

const PASSWD = file('./etc/passwd', 'root:x:0:0::/:/bin/sh\nbin:x:2:2::/:/bin/sh\n')
const access = (text: string): Entry =>
  file('./f', 'body', { mode: 0o644, pax: { 'SCHILY.acl.access': text } })

describe('ACLs as text become attributes,', () => {
  test.each([
    ['with the numbers that star adds', [access(STAR_ACL)]],
    ['with those of accounts in the archive', [PASSWD, access(GNU_ACL)]],
    ['with those of accounts that come later', [access(GNU_ACL), PASSWD]]
  ])('%s', async (_what, entries) => {
    const { entries: members, mediaType } = await layerOf(written(tar(...entries)))
    expect(members.get('./f')).toMatchObject({
      mode: 0o650,
      size: 4,
      xattrs: [['system.posix_acl_access', ACL]]
    })
    expect(mediaType).toContain('tar+gzip')
  })

  test('also defaults of directories, but not where nothing can have any', async () => {
    const pax = { 'SCHILY.acl.default': STAR_ACL }
    const both = { ...pax, 'SCHILY.acl.access': STAR_ACL }
    const members = [
      directory('d/', { pax }),
      file('f', '', { pax }),
      symlink('s', 'f', { pax: both })
    ]
    const { entries } = await layerOf(written(tar(...members)))
    expect(entries.get('d/')!.xattrs).toEqual([['system.posix_acl_default', ACL]])
    expect(entries.get('d/')!.mode).toBe(0o755)
    expect([entries.get('f')!.xattrs, entries.get('s')!.xattrs]).toEqual([[], []])
  })

  test.each([
    ['an unknown account', GNU_ACL],
    ['no mask', 'user::rw-,user:2:rwx,group::r--,other::---']
  ])('or the archive is refused: %s', async (_what, text) => {
    await expect(layerOf(written(tar(access(text))))).rejects.toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { file: `${work}/x`, entry: './f' },
      hint: expect.stringContaining('bsdtar') as string
    })
  })
})

test('attributes that only bsdtar reads become what all read', async () => {
  const pax = {
    'LIBARCHIVE.xattr.user.b%25%C3%A4': 'AAE',
    'LIBARCHIVE.xattr.user.a': 'YQ==',
    'SCHILY.xattr.user.a': 'SCHILY counts'
  }
  const { entries } = await layerOf(written(tar(file('f', '', { pax }))))
  expect(entries.get('f')!.xattrs).toEqual([
    ['user.a', 'SCHILY counts'],
    ['user.b%\xc3\xa4', '\0\x01']
  ])
})

/** What says nothing more than its layer would. */
const UNCHANGED: readonly (readonly [what: string, entry: Entry])[] = [
  ['an ACL that is the mode', access('user::rw-\ngroup::r--\nother::---\n')],
  ['an empty ACL', access('')],
  [
    'an ACL that is an attribute, too',
    file('f', '', {
      pax: { 'SCHILY.acl.access': STAR_ACL, 'SCHILY.xattr.system.posix_acl_access': ACL }
    })
  ],
  [
    'an attribute in both forms',
    file('f', '', { pax: { 'LIBARCHIVE.xattr.user.a': 'YQ', 'SCHILY.xattr.user.a': 'a' } })
  ]
]

test.each(UNCHANGED)('%s leaves the archive as it is', async (_what, entry) => {
  const bytes = tar(entry)
  const layer = await layerOf(written(bytes))
  expect(layer.mediaType).toBe('application/vnd.oci.image.layer.v1.tar')
  expect(layer.tar.equals(bytes)).toBe(true)
})

describe('an image of LXD', () => {
  const inside = (root: string): Entry[] => [
    directory(`${root}/`, { mode: 0o711, mtime: 5 }),
    directory(`${root}/etc/`),
    file(`${root}/etc/passwd`, 'bin:x:2:2::/:/bin/sh\n'),
    file(`${root}/f`, 'x'.repeat(700), { pax: { 'SCHILY.acl.access': GNU_ACL } }),
    hardlink(`${root}/g`, `${root}/f`),
    symlink(`${root}/s`, 'rootfs/f')
  ]
  const SHAPES: readonly (readonly [what: string, entries: Entry[]])[] = [
    ['', [file('metadata.yaml', 'a: b'), ...inside('rootfs'), file('templates/hosts', 'h')]],
    [' with ./', [file('./metadata.yaml'), directory('./templates/'), ...inside('./rootfs')]],
    [
      ' in a backup',
      [
        file('backup/index.yaml'),
        file('backup/container/backup.yaml'),
        ...inside('backup/container/rootfs')
      ]
    ]
  ]

  test.each(SHAPES)('%s is its root file system', async (_what, entries) => {
    const { entries: members } = await layerOf(written(gzipSync(tar(...entries))))
    expect([...members.keys()]).toEqual(['./', 'etc', 'etc/passwd', 'f', 'g', 's'])
    expect(members.get('./')).toMatchObject({ type: 'directory', mode: 0o711, mtime: { sec: 5 } })
    expect(members.get('f')!.xattrs).toEqual([['system.posix_acl_access', ACL]])
    expect([members.get('g')!.link, members.get('s')!.link]).toEqual(['f', 'rootfs/f'])
  })

  test('does not link out of it', async () => {
    const bytes = tar(
      file('metadata.yaml'),
      file('rootfs/a'),
      hardlink('rootfs/b', 'metadata.yaml')
    )
    await expect(layerOf(written(bytes))).rejects.toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { entry: 'rootfs/b', found: 'metadata.yaml' }
    })
  })

  test('is not what has other names at its top', async () => {
    const bytes = tar(file('metadata.yaml'), file('rootfs/a'), directory('etc/'))
    expect((await layerOf(written(bytes))).tar.equals(bytes)).toBe(true)
  })
})

type Command = readonly [program: string, ...args: string[]]

/** Each makes an archive of a tree with ACLs. */
const MAKERS: readonly Command[] = [
  ['tar', '--acls', '--numeric-owner', '-C', 'DIR', '-cf', 'OUT', '.'],
  ['tar', '--acls', '--xattrs', '--numeric-owner', '-C', 'DIR', '-cf', 'OUT', '.'],
  ['bsdtar', '--acls', '--numeric-owner', '-C', 'DIR', '-cf', 'OUT', '.'],
  [
    'bsdtar',
    '--acls',
    '--xattrs',
    '--options',
    'xattrheader=LIBARCHIVE',
    '-C',
    'DIR',
    '-cf',
    'OUT',
    '.'
  ]
]

/** Each extracts it with everything. */
const TAKERS: readonly Command[] = [
  ['tar', '--acls', '-xpf', 'OUT', '-C', 'DIR'],
  ['tar', '--xattrs', '--xattrs-include=*', '-xpf', 'OUT', '-C', 'DIR'],
  ['bsdtar', '-xpf', 'OUT', '-C', 'DIR']
]

describe.runIf(needs('root', 'setfacl', 'tar', 'bsdtar'))('ACLs of real trees', () => {
  const tree = (): string => {
    const root = `${work}/tree`
    mkdirSync(`${root}/etc`, { recursive: true })
    writeFileSync(`${root}/etc/passwd`, readFileSync('/etc/passwd'))
    writeFileSync(`${root}/etc/group`, readFileSync('/etc/group'))
    writeFileSync(`${root}/f`, 'f')
    chownSync(`${root}/f`, 5, 6)
    ok('setfacl', '-m', 'u:daemon:rwx,g:4321:r,m::rx', `${root}/f`)
    mkdirSync(`${root}/d`)
    ok('setfacl', '-m', 'd:g:adm:rwx,g:sys:x', `${root}/d`)
    return root
  }
  const run = ([program, ...args]: Command, folder: string): void => {
    const place = (arg: string): string => arg.replace('OUT', `${work}/made`).replace('DIR', folder)
    ok(program, ...args.map(place))
  }

  test.each(MAKERS)('survive %s %s %s %s', async (...maker) => {
    const root = tree()
    run(maker as unknown as Command, root)
    await unpackRootfs({
      ...unpackOptions,
      image: `tar:${work}/made`,
      destination: `${work}/out`,
      jobs: 0
    })
    // bsdtar does not write fractions of seconds if it can do without
    expect(compareTrees(root, `${work}/out`, ['*:mtime'])).toEqual([])
    expect(statSync(`${work}/out/f`).mode & 0o777).toBe(0o654)
  })

  test.each(TAKERS)('are in an export for %s %s', async (...taker) => {
    const root = tree()
    run(MAKERS[0]!, root)
    await copy({ source: `tar:${work}/made`, destination: `tar:${work}/out.tar`, jobs: 0 })
    mkdirSync(`${work}/taken`)
    ok('mv', `${work}/out.tar`, `${work}/made`)
    run(taker as unknown as Command, `${work}/taken`)
    expect(compareTrees(root, `${work}/taken`, ['*:mtime'])).toEqual([])
  })
})

test('the label of a volume is not a member, wherever it is', async () => {
  const label = { ...file('label'), flag: 'V' }
  const { entries } = await layerOf(written(tar(label, file('a', 'b'), label)))
  expect([...entries]).toMatchObject([['a', { offset: 0, size: 1 }]])
})
