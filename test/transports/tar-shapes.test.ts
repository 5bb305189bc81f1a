/** Archives of root file systems by all kinds of tools, and what becomes of them on the way. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OciUnpackError } from '../../src/errors.ts'
import { unpackRootfs } from '../../src/index.ts'
import { parseImageName } from '../../src/transports/image-name.ts'
import { withImages } from '../../src/transports/open-images.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

let work: string
let source: string
/** The source as GNU tar packs it. */
let packed: Buffer
beforeAll(() => {
  work = makeTemporary()
  source = `${work}/source`
  for (const folder of ['bin', 'etc', 'usr']) mkdirSync(`${source}/${folder}`, { recursive: true })
  writeFileSync(`${source}/bin/sh`, 'x'.repeat(3000), { mode: 0o755 })
  linkSync(`${source}/bin/sh`, `${source}/bin/bash`)
  symlinkSync('sh', `${source}/bin/dash`)
  writeFileSync(`${source}/etc/passwd`, 'root:x:0:0::/root:/bin/sh\n')
  writeFileSync(`${source}/usr/holes`, '')
  truncateSync(`${source}/usr/holes`, 1 << 20)
  appendFileSync(`${source}/usr/holes`, 'end')
  const names = ['bin/sh', 'bin/dash', 'etc/passwd', 'usr/holes', 'bin', 'etc', 'usr', '.']
  for (const name of names) lutimesSync(`${source}/${name}`, 1e9, 1e9)
  packed = sh('tar -C SOURCE -cf - .')
})
afterAll(() => removeTemporary(work))

/** What a command writes; SOURCE is the tree, and WORK is where it may leave things. */
function sh(command: string, input?: Buffer): Buffer {
  const line = command.replaceAll('SOURCE', source).replaceAll('WORK', work)
  const options = { cwd: work, maxBuffer: 1 << 26, ...(input && { input }) }
  return execFileSync('sh', ['-ec', line], { ...options, stdio: ['pipe', 'pipe', 'ignore'] })
}

/** The rules say which differences are those of the archive. */
async function differences(archive: Buffer, ignore: readonly string[] = []): Promise<string[]> {
  writeFileSync(`${work}/archive`, archive)
  const destination = `${work}/root`
  await unpackRootfs({ ...unpackOptions, image: `tar:${work}/archive`, destination, jobs: 0 })
  try {
    // an unpack by others than root notes the owners
    return compareTrees(source, destination, ['*:uid,gid,xattr.user.rootlesscontainers', ...ignore])
  } finally {
    sh('chmod -R u+w root; rm -rf root')
  }
}

async function warnings(archive: Buffer): Promise<string[]> {
  writeFileSync(`${work}/archive`, archive)
  const messages: string[] = []
  const onWarning = (message: string): void => void messages.push(message)
  await withImages(parseImageName(`tar:${work}/archive`), { onWarning }, () => undefined)
  return messages
}

const dump = (format: string, more = ''): string =>
  `rm -f WORK/list; tar --listed-incremental=WORK/list --format=${format} ${more} -C SOURCE -cf - .`

/** The root itself is not in the archive. */
const NO_ROOT = ['.:*']
const PYTHON = (format: string): string =>
  `python3 -c 'import sys,tarfile; t=tarfile.open(fileobj=sys.stdout.buffer,mode="w|",format=tarfile.${format}); t.add("SOURCE","."); t.close()'`

const MADE_BY: readonly (readonly [command: string, ignore: readonly string[]])[] = [
  ...['v7', 'oldgnu', 'gnu', 'ustar', 'posix'].map(
    (format) => [`tar --format=${format} -C SOURCE -cf - .`, []] as const
  ),
  ...['0.0', '0.1', '1.0'].map(
    (version) =>
      [`tar --format=posix -S --sparse-version=${version} -C SOURCE -cf - .`, []] as const
  ),
  ['tar --format=gnu -S -C SOURCE -cf - .', []],
  ['tar -C SOURCE -cf - bin etc usr', NO_ROOT],
  ['tar -C SOURCE -cf - $(ls SOURCE) --transform=s,^,/,S -P', NO_ROOT],
  ['tar -C SOURCE -cf - . -V label --format=gnu', []],
  ['tar -C SOURCE -cf - . -V label --format=posix', []],
  [dump('gnu'), []],
  [dump('posix'), []],
  ['tar -C SOURCE -cf WORK/t bin; tar -C SOURCE -rf WORK/t etc usr; cat WORK/t', NO_ROOT],
  ['tar -C SOURCE -cf WORK/t .; tar -C SOURCE -rf WORK/t .; cat WORK/t', []],
  ...['pax', 'ustar', 'gnutar', 'v7tar'].map(
    (format) => [`bsdtar --format=${format} -C SOURCE -cf - .`, []] as const
  ),
  ['bsdtar -C SOURCE -cf - .', []],
  ...['PAX_FORMAT', 'GNU_FORMAT', 'USTAR_FORMAT'].map((format) => [PYTHON(format), []] as const)
]

describe.runIf(needs('tar', 'bsdtar', 'python3'))('the tree is what was packed:', () => {
  test.each(MADE_BY)('%s', async (command, ignore) => {
    const archive = sh(command)
    expect(await differences(archive, ignore)).toEqual([])
    expect(await warnings(archive)).toEqual([])
  })
})

const SKIPPABLE = Buffer.from('502a4d1804000000deadbeef', 'hex')
const ZEROS = Buffer.alloc(1000)

/** What else may be around compressed data. */
const COMPRESSED: readonly (readonly [what: string, make: () => Buffer])[] = [
  ...['gzip', 'zstd -q', 'xz', 'bzip2'].map(
    (program) => [`two parts of ${program}`, () => parts(program)] as const
  ),
  ['gzip with zeros', () => Buffer.concat([sh('gzip', packed), ZEROS])],
  ['xz with zeros', () => Buffer.concat([sh('xz', packed), ZEROS])],
  ['bzip2 with zeros', () => Buffer.concat([sh('bzip2', packed), ZEROS])],
  ['zstd with other frames', () => Buffer.concat([SKIPPABLE, sh('zstd -q', packed), SKIPPABLE])],
  ['xz without checks', () => sh('xz --check=none', packed)]
]

function parts(program: string): Buffer {
  return Buffer.concat([sh(program, packed.subarray(0, 5000)), sh(program, packed.subarray(5000))])
}

describe.runIf(needs('gzip', 'zstd', 'xz', 'bzip2'))('decompressed to its end:', () => {
  test.each(COMPRESSED)('%s', async (_what, make) => {
    expect(await differences(make())).toEqual([])
  })
})

const VOLUMES = 'tar -cML 10 -C SOURCE -f WORK/v1 -f WORK/v2 . --format='

/** What is read, but not as somebody may expect. */
const WARNED: readonly (readonly [what: string, make: () => Buffer, message: RegExp])[] = [
  ['archives one after another', () => Buffer.concat([packed, packed]), /^Data follows the end/],
  ['a cut in the padding', () => tar(file('a', 'x')).subarray(0, 512 + 100), /no end marker/],
  ['no end', () => packed.subarray(0, endOf(packed)), /^The archive has no end marker/],
  ['other data after the end', () => Buffer.concat([packed, Buffer.from('x')]), /^Data follows/],
  [
    'ACLs of NFSv4',
    () => tar(file('a', '', { pax: { 'SCHILY.acl.ace': 'owner@:rwxp--aARWcCos:-------:allow' } })),
    /ACLs of NFSv4/
  ],
  ['a dump without some files', () => sh(dump('gnu', '--exclude=passwd')), /dump that lacks files/],
  [
    'such a dump in the PAX format',
    () => sh(dump('posix', '--exclude=passwd')),
    /dump that lacks files/
  ]
]

test.runIf(needs('tar')).each(WARNED)('%s: a warning', async (_what, make, message) => {
  const messages = await warnings(make())
  expect(messages).toHaveLength(1)
  expect(messages[0]).toMatch(message)
})

const rest = tar({ ...file('a', 'rest'), flag: 'M' })

/** What is no root file system, or only a part of one, and what the answer must tell. */
const REFUSED: readonly (readonly [what: string, make: () => Buffer, tells: RegExp])[] = [
  ['the first of several volumes', () => volume(1), /cut short/],
  ['another volume', () => rest, /from another volume/],
  ['a volume in the PAX format', () => tar(file('d/GNUFileParts/a.2', 'x')), /from another volume/],
  ['cpio', () => sh('bsdtar --format=newc -C SOURCE -cf - .'), /a cpio archive/],
  ['cpio of POSIX', () => sh('bsdtar --format=cpio -C SOURCE -cf - .'), /a cpio archive/],
  ['zip', () => sh('bsdtar --format=zip -C SOURCE -cf - .'), /a zip archive/],
  ['7z', () => sh('bsdtar --format=7zip -C SOURCE -cf - .'), /a 7z archive/],
  ['ar', () => sh('bsdtar --format=ar -C SOURCE/etc -cf - passwd'), /an ar archive/],
  ['lzma', () => sh('xz --format=lzma', packed), /compressed with lzma/],
  ['lz4', () => sh('bsdtar --lz4 -C SOURCE -cf - .'), /compressed with lz4/],
  ['a short text', () => Buffer.from('short'), /not a tar archive/],
  ['xz in gzip', () => sh('xz | gzip', packed), /more than once/],
  ['xz and other data', () => Buffer.concat([sh('xz', packed), Buffer.from('x')]), /damaged/],
  ['xz that is cut', () => sh('xz', packed).subarray(0, -20), /damaged/],
  ['bzip2 that is cut', () => sh('bzip2', packed).subarray(0, -20), /damaged/],
  ['gzip that is cut', () => sh('gzip', packed).subarray(0, -20), /damaged/],
  ['zstd that is cut', () => sh('zstd -q', packed).subarray(0, -20), /damaged/]
]

/** Where the blocks of zeros begin. */
function endOf(archive: Buffer): number {
  return (Math.floor(archive.findLastIndex((byte) => byte !== 0) / 512) + 1) * 512
}

function volume(number: 1 | 2): Buffer {
  sh(`${VOLUMES}gnu || true`)
  return readFileSync(`${work}/v${number}`)
}

test.runIf(needs('tar', 'bsdtar')).each(REFUSED)('%s is refused', async (_what, make, tells) => {
  writeFileSync(`${work}/archive`, make())
  const failure = await withImages(parseImageName(`tar:${work}/archive`), {}, () => 0).then(
    () => undefined,
    (error: unknown) => error as OciUnpackError
  )
  expect(`${failure?.message} ${JSON.stringify(failure?.facts)} ${failure?.hint}`).toMatch(tells)
})
