import { describe, expect, test } from 'vitest'
import type { TarEntry } from '../../src/tar/entry.ts'
import { TarReader } from '../../src/tar/reader.ts'
import { archive, member, readArchive } from '../support/archive.ts'
import { failure } from '../support/failure.ts'
import {
  GNU,
  octal,
  padded,
  paxHeader,
  rawHeader,
  rawMember,
  USTAR,
  V7,
  type RawHeader
} from '../support/raw-header.ts'

/** The only entry of an archive of these blocks. */
function only(...blocks: readonly Buffer[]): TarEntry {
  const entries = readArchive(archive(...blocks))
  expect(entries).toHaveLength(1)
  return entries[0]!.entry
}

function names(...blocks: readonly Buffer[]): string[] {
  return readArchive(Buffer.concat(blocks)).map(({ entry }) => entry.name)
}

const zeros = Buffer.alloc(512)

describe('the end', () => {
  test.each([
    ['nothing at all', []],
    ['one block of zeros', [zeros]],
    ['two blocks of zeros', [zeros, zeros]],
    ['a record of zeros', [Buffer.alloc(10240)]]
  ])('an archive of %s is empty', (_, blocks) => {
    expect(names(...blocks)).toEqual([])
  })

  test('end blocks may be missing, or be only one', () => {
    expect(names(member({ name: 'a' }))).toEqual(['a'])
    expect(names(member({ name: 'a' }), zeros)).toEqual(['a'])
  })

  test('whatever follows the end blocks is ignored', () => {
    const rest = [Buffer.from('junk'), member({ name: 'b' })]
    expect(names(member({ name: 'a' }), zeros, zeros, ...rest)).toEqual(['a'])
  })

  test('a header after a single block of zeros is an error at that header', () => {
    const error = failure(() => names(member({ name: 'a' }), zeros, member({ name: 'b' })))
    expect(error?.code).toBe('TAR_INVALID')
    expect(error?.facts.offset).toBe(1024)
  })

  test.each([
    ['the end blocks', archive(paxHeader(['path=a']))],
    ['the end of the bytes', paxHeader(['path=a'])]
  ])('an extended header right before %s is an error', (_, bytes) => {
    expect(failure(() => readArchive(bytes))?.code).toBe('TAR_INVALID')
  })

  test('a global header may be all there is', () => {
    expect(names(paxHeader(['comment=0123456789'], 'g'), zeros, zeros)).toEqual([])
  })
})

describe('names', () => {
  test('fill their field without a NUL, and the prefix goes before', () => {
    const header = rawHeader({ name: 'n'.repeat(100), prefix: 'p'.repeat(155) })
    expect(only(header).name).toBe(`${'p'.repeat(155)}/${'n'.repeat(100)}`)
  })

  test('have no prefix in old GNU and v7 headers, where other things stand there', () => {
    expect(only(rawHeader({ magic: GNU, prefix: '00000000001' })).name).toBe('file')
    expect(only(rawHeader({ magic: V7, prefix: 'junk' })).name).toBe('file')
  })

  test('have a shorter prefix in star’s archives, where times follow it', () => {
    const star = { prefix: 'p'.repeat(131), at: { 476: octal(1), 488: octal(2), 508: 'tar\0' } }
    expect(only(rawHeader(star)).name).toBe(`${'p'.repeat(131)}/file`)
  })

  test('are bytes', () => {
    expect(only(rawHeader({ name: '\xff\xfe\n' })).name).toBe('\xff\xfe\n')
    expect(only(paxHeader(['path=\xff\xe4/\n']), rawHeader()).name).toBe('\xff\xe4/\n')
  })

  test('are passed on as they stand', () => {
    for (const name of ['/abs', './a', '../a', 'a//b', '.', '']) {
      expect(only(rawHeader({ name })).name).toBe(name)
    }
  })

  test('come from GNU long name and long link members, the last of several', () => {
    const blocks = [
      rawMember({ type: 'L', magic: GNU }, 'first\0'),
      rawMember({ type: 'L', magic: GNU }, `${'n'.repeat(600)}\0`),
      rawMember({ type: 'K', magic: GNU }, `${'l'.repeat(600)}\0`),
      rawHeader({ type: '2', magic: GNU, name: 'n'.repeat(100), link: 'l'.repeat(100) })
    ]
    expect(only(...blocks)).toMatchObject({ name: 'n'.repeat(600), link: 'l'.repeat(600) })
  })

  test('of one member do not stay for the next', () => {
    const blocks = [
      rawMember({ type: 'L' }, 'long\0'),
      rawHeader(),
      paxHeader(['path=pax']),
      rawHeader(),
      rawHeader()
    ]
    expect(names(...blocks)).toEqual(['long', 'pax', 'file'])
  })

  test('repeated in an archive are all passed on', () => {
    expect(names(member({ name: 'a' }, 'one'), member({ name: 'a' }, 'two'))).toEqual(['a', 'a'])
  })
})

describe('types', () => {
  test.each([
    ['0', 'file', 'file'],
    ['0', 'file/', 'directory'],
    ['7', 'file/', 'directory'],
    ['\0', 'file', 'file'],
    ['\0', 'file/', 'directory'],
    ['7', 'file', 'file'],
    ['1', 'file', 'hardlink'],
    ['2', 'file', 'symlink'],
    ['3', 'file', 'char'],
    ['4', 'file', 'block'],
    ['5', 'file', 'directory'],
    ['6', 'file', 'fifo']
  ])('%j with the name %s is a %s', (type, name, wanted) => {
    expect(only(rawHeader({ type, name, link: 'x' })).type).toBe(wanted)
  })

  test('a name with a slash at its end belongs to a file if there is a body', () => {
    const header = rawHeader({ type: '0', name: 'file/', size: '00000000004' })
    const [read] = readArchive(archive(header, Buffer.alloc(512, 'body')))
    expect(read!.entry).toMatchObject({ type: 'file', size: 4 })
  })

  test.each(['V', 'M', 'D', 'N', 'A', 'X', '8', '\xff'])('%j is refused by its byte', (type) => {
    const error = failure(() => readArchive(archive(rawHeader({ type }))))
    expect(error?.code).toBe('ENTRY_INVALID')
    expect(error?.facts).toMatchObject({ entry: 'file', offset: 0 })
    expect(error?.facts.found).toContain(type.charCodeAt(0).toString(16))
  })

  test.each(['1', '2', '3', '4', '5', '6'])('%j has no body, whatever its size says', (type) => {
    const blocks = [rawHeader({ type, link: 'x', size: octal(1000) }), rawHeader({ name: 'next' })]
    const read = readArchive(archive(...blocks))
    expect(read.map(({ entry }) => [entry.name, entry.size])).toEqual([
      ['file', 0],
      ['next', 0]
    ])
  })

  test('7 has a body', () => {
    const read = readArchive(archive(rawMember({ type: '7' }, 'hello')))
    expect(read[0]?.body.toString()).toBe('hello')
  })
})

describe('numbers', () => {
  test('are octal, base-256 or PAX, and PAX goes before the header', () => {
    const header = { uid: '\x80\0\0\0\xff\xff\xff\xfe', gid: octal(0o755, 7), mode: '0104755\0' }
    expect(only(rawHeader(header))).toMatchObject({
      uid: 2 ** 32 - 2,
      gid: 0o755,
      mode: 0o4755
    })
    expect(only(paxHeader(['uid=5', 'gid=6']), rawHeader(header))).toMatchObject({ uid: 5, gid: 6 })
  })

  test('of devices are read for devices only', () => {
    const numbers = { devMajor: octal(259, 7), devMinor: octal(65536, 7) }
    expect(only(rawHeader({ type: '4', ...numbers }))).toMatchObject({
      devMajor: 259,
      devMinor: 65536
    })
    const junk = { devMajor: 'no no no', devMinor: 'no no no' }
    expect(only(rawHeader({ type: '0', ...junk }))).toMatchObject({ devMajor: 0, devMinor: 0 })
  })

  test('of times may be negative', () => {
    expect(only(rawHeader({ mtime: '\xff'.repeat(12) })).mtime).toEqual({ sec: -1, nsec: 0 })
    const entry = only(paxHeader(['mtime=-1.5', 'atime=2.25', 'ctime=junk']), rawHeader())
    expect(entry.mtime).toEqual({ sec: -2, nsec: 500_000_000 })
    expect(entry.atime).toEqual({ sec: 2, nsec: 250_000_000 })
  })

  test('in PAX may give a body that its header does not', () => {
    const blocks = [paxHeader(['size=600']), rawHeader({ size: octal(0) }), padded('x'.repeat(600))]
    expect(readArchive(archive(...blocks))[0]?.body.toString()).toBe('x'.repeat(600))
  })
})

describe('checksums', () => {
  test('may have been summed over signed bytes', () => {
    const header = rawHeader({ name: '\xff\xfe' })
    const signed = header
      .subarray()
      .reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : (byte << 24) >> 24), 0)
    const block = rawHeader({ name: '\xff\xfe', checksum: octal(signed, 6) })
    expect(block.equals(header)).toBe(false)
    expect(only(block).name).toBe('\xff\xfe')
  })

  test('must be right', () => {
    const error = failure(() => names(member({ name: 'a' }), rawHeader({ checksum: '0000001\0' })))
    expect(error?.code).toBe('TAR_INVALID')
    expect(error?.facts.offset).toBe(512)
  })
})

describe('PAX records', () => {
  const xattr = (key: string, value: string) => `SCHILY.xattr.${key}=${value}`

  test('give xattrs as bytes, the last of equal names, and none for an empty value', () => {
    const records = [xattr('user.a', '1'), xattr('user.b', '\0\xff=\n'), xattr('user.a', '2')]
    const ignored = ['LIBARCHIVE.xattr.user.c=YQ', 'SCHILY.acl.access=x', 'hdrcharset=BINARY']
    const entry = only(paxHeader([...records, xattr('user.d', ''), ...ignored]), rawHeader())
    expect(entry.xattrs).toEqual([
      ['user.a', '2'],
      ['user.b', '\0\xff=\n']
    ])
  })

  test('of a global header hold for all members until they are overridden or emptied', () => {
    const blocks = [
      paxHeader(['uid=7', xattr('user.a', '1'), 'GNU.sparse.name=no'], 'g'),
      rawHeader({ name: 'a' }),
      paxHeader(['uid=8', xattr('user.a', '')]),
      rawHeader({ name: 'b' }),
      paxHeader(['uid=']),
      rawHeader({ name: 'c', uid: octal(9, 7) }),
      paxHeader(['uid='], 'g'),
      rawHeader({ name: 'd', uid: octal(9, 7) })
    ]
    const read = readArchive(archive(...blocks)).map(({ entry }) => [
      entry.name,
      entry.uid,
      entry.xattrs.length
    ])
    expect(read).toEqual([
      ['a', 7, 1],
      ['b', 8, 0],
      ['c', 9, 1],
      ['d', 9, 1]
    ])
  })

  test('of the last of several extended headers hold, as in Go', () => {
    const entry = only(paxHeader(['uid=7']), paxHeader(['gid=8']), rawHeader())
    expect(entry).toMatchObject({ uid: 0, gid: 8 })
  })
})

describe('offsets', () => {
  test('are those of the first header of a member, extended or not', () => {
    const blocks = [
      paxHeader(['comment=x'], 'g'),
      member({ name: 'a' }, 'body'),
      paxHeader(['path=b']),
      rawMember({ type: 'L' }, 'b\0'),
      rawHeader()
    ]
    const offsets = readArchive(archive(...blocks)).map(({ entry }) => entry.offset)
    expect(offsets).toEqual([1024, 2048])
  })
})

describe('bad values are errors that name the entry and its header’s offset', () => {
  const tooBig = String(2 ** 53)
  const cases: readonly (readonly [string, string, string[], RawHeader])[] = [
    ['a negative size', 'TAR_INVALID', [], { size: '\xff'.repeat(12) }],
    ['a negative PAX size', 'TAR_INVALID', ['size=-1'], {}],
    ['a size that is no number', 'TAR_INVALID', [], { size: '99999999999\0' }],
    ['a size above 2^53-1', 'TAR_INVALID', [`size=${tooBig}`], {}],
    ['a base-256 size above 2^53-1', 'TAR_INVALID', [], { size: '\x80' + '\x7f'.repeat(11) }],
    ['a mode that is no number', 'TAR_INVALID', [], { mode: 'rwxr-xr' }],
    ['an mtime that is no number', 'TAR_INVALID', [], { mtime: 'yesterday\0' }],
    ['a PAX mtime that is no number', 'TAR_INVALID', ['mtime=1e9'], {}],
    ['a PAX atime that is no number', 'TAR_INVALID', ['atime=x'], {}],
    ['a uid that is no number', 'TAR_INVALID', ['uid=root'], {}],
    ['a negative uid', 'ENTRY_INVALID', ['uid=-1'], {}],
    ['a negative base-256 gid', 'ENTRY_INVALID', [], { gid: '\xff'.repeat(8) }],
    ['the uid that means "no change"', 'ENTRY_INVALID', ['uid=4294967295'], {}],
    ['a gid that wraps to 1', 'ENTRY_INVALID', ['gid=4294967297'], {}],
    ['a device the kernel would cut', 'ENTRY_INVALID', [], { type: '3', devMajor: octal(4096, 7) }],
    ['a name with a NUL', 'ENTRY_INVALID', ['path=a\0b'], {}],
    ['a target with a NUL', 'ENTRY_INVALID', ['linkpath=a\0b'], { type: '2' }],
    ['a symlink without a target', 'ENTRY_INVALID', [], { type: '2' }],
    ['a hardlink without a target', 'ENTRY_INVALID', [], { type: '1' }],
    ['an xattr without a name', 'ENTRY_INVALID', ['SCHILY.xattr.=x'], {}],
    ['an xattr name with a NUL', 'ENTRY_INVALID', ['SCHILY.xattr.user.a\0b=x'], {}]
  ]

  test.each(cases)('%s', (_, code, records, fields) => {
    const before = member({ name: 'before' })
    const pax = records.length === 0 ? [] : [paxHeader(records)]
    const error = failure(() => readArchive(archive(before, ...pax, rawHeader(fields))))
    expect(error?.code).toBe(code)
    expect(error?.facts.offset).toBe(512 + pax.length * 1024)
    expect(error?.facts.entry).toBeTruthy()
  })

  test.each([
    ['a malformed record', rawMember({ type: 'x' }, '9 a=b\n')],
    ['a negative size', rawHeader({ type: 'x', size: '\xff'.repeat(12) })],
    ['a size that is no number', rawHeader({ type: 'L', size: 'long' })]
  ])('%s in an extended header', (_, header) => {
    const error = failure(() => readArchive(archive(member({}), header, rawHeader())))
    expect(error?.code).toBe('TAR_INVALID')
    expect(error?.facts.offset).toBe(512)
  })
})

describe('limits', () => {
  const attributes = Array.from(
    { length: 50 },
    (_, i) => `SCHILY.xattr.user.${i}=${'v'.repeat(40)}`
  )

  test.each([
    ['a PAX header', { paxBytes: 600 }, paxHeader(['path='.padEnd(700, 'x')])],
    ['a long name', { longNameBytes: 600 }, rawMember({ type: 'L' }, 'x'.repeat(601))],
    ['a long link', { longNameBytes: 600 }, rawMember({ type: 'K' }, 'x'.repeat(601))],
    ['what is global', { globalBytes: 1000 }, paxHeader(attributes, 'g')]
  ])('hold for %s, with what was allowed and what was found', (_, limits, header) => {
    const bytes = archive(member({}), header, rawHeader({ type: '2', link: 'x' }))
    const error = failure(() => readArchive(bytes, { limits }))
    expect(error?.code).toBe('LIMIT_EXCEEDED')
    expect(error?.facts.offset).toBe(512)
    expect(error?.facts.expected).toContain(String(Object.values(limits)[0]))
    expect(error?.facts.found).toBeGreaterThan(Object.values(limits)[0]!)
    expect(failure(() => readArchive(bytes))).toBeUndefined()
  })

  test('count global values once, however often they are given', () => {
    const same = Array.from({ length: 100 }, () => paxHeader(['path='.padEnd(600, 'x')], 'g'))
    const bytes = archive(...same, rawHeader())
    expect(failure(() => readArchive(bytes, { limits: { globalBytes: 1000 } }))).toBeUndefined()
  })

  test('refuse an extension before it has come', () => {
    const header = rawHeader({ type: 'x', size: octal(8 ** 11 - 1) })
    expect(failure(() => readArchive(header))?.code).toBe('LIMIT_EXCEEDED')
  })
})

test('one magic is one format: ustar is told from GNU by its sixth byte', () => {
  expect(only(rawHeader({ magic: USTAR, prefix: 'p' })).name).toBe('p/file')
})

describe('skip', () => {
  const blocks = Buffer.concat([
    member({ name: 'empty' }),
    member({ name: 'odd' }, Buffer.alloc(700, 'x')),
    member({ name: 'even' }, Buffer.alloc(1024, 'y')),
    member({ name: 'n'.repeat(300) }, Buffer.alloc(3, 'z')),
    Buffer.alloc(1024)
  ])

  test('leaves out bodies and padding: only headers are to be pushed', () => {
    const seen: string[] = []
    const reader = new TarReader({
      entry: ({ name, size }) => seen.push(`${name.slice(0, 5)} ${size}`),
      data: () => seen.push('data'),
      end: () => seen.push('end')
    })
    let pushed = 0
    for (let at = 0; at < blocks.length; pushed++) {
      reader.push(Buffer.from(blocks.subarray(at, at + 512)))
      at += 512 + reader.skip()
    }
    reader.finish()
    const entries = ['empty 0', 'odd 700', 'even 1024', 'nnnnn 3']
    expect(seen).toEqual(entries.flatMap((entry) => [entry, 'end']))
    expect(pushed).toBe(4 + 2 + 2)
  })

  test('keeps count, so that errors have the right offset', () => {
    const reader = new TarReader({ entry: () => 0, data: () => 0, end: () => 0 })
    reader.push(Buffer.from(blocks.subarray(0, 1024)))
    expect(reader.skip()).toBe(1024)
    expect(reader.skip()).toBe(0)
    expect(failure(() => reader.push(Buffer.alloc(512, 1)))?.facts.offset).toBe(2048)
  })
})
