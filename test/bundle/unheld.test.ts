/** When what a bundle remembers of an object still belongs to what is at its path, or to what was renamed. */
import { expect, test } from 'vitest'
import {
  formatUnheld,
  parseUnheld,
  UnheldMemory,
  type ObjectOnDisk,
  type UnheldRecord
} from '../../src/bundle/unheld.ts'
import type { Unheld } from '../../src/plan/policy/metadata-policy.ts'
import type { Status } from '../../src/sys/status.ts'
import { failure } from '../support/failure.ts'

const DEVICE = 0xfd_0000_0001
const ROOT = 2n
const BORN = { sec: 1000, nsec: 5 }
const MTIME = { sec: 7, nsec: 8 }

const STATUS: Status = {
  type: 'symlink',
  mode: 0o777,
  uid: 1500,
  gid: 1500,
  size: 6,
  nlink: 1,
  inode: 42n,
  device: DEVICE,
  devMajor: 0,
  devMinor: 0,
  mtimeSec: MTIME.sec,
  mtimeNsec: MTIME.nsec,
  ctimeSec: 1000,
  ctimeNsec: 0,
  atimeSec: 0,
  atimeNsec: 0,
  blocks: 0,
  isMountRoot: false
}

const LINK: UnheldRecord = {
  path: 'etc/link',
  type: 'symlink',
  inode: '42',
  born: BORN,
  mode: 0o777,
  link: 'target',
  sha256: null,
  unheld: { uid: 9, gid: 10 }
}

interface Changed extends Partial<Status> {
  isCopy?: boolean
  path?: string
  link?: string
  born?: ObjectOnDisk['born']
  sha256?: string
}

function look(record: Partial<UnheldRecord>, changed: Changed = {}): Unheld | undefined {
  const all = { ...LINK, ...record }
  const { path = all.path, link = all.link, born = () => BORN, sha256 = 'a' } = changed
  const { isCopy = false, ...status } = changed
  const root = { ...STATUS, inode: ROOT, device: isCopy ? 5 : DEVICE }
  const memory = new UnheldMemory({ device: DEVICE, inode: String(ROOT), objects: [all] }, root)
  const own = { type: all.type, mode: all.mode, size: 0 }
  return memory.of({
    path,
    link,
    born,
    status: { ...STATUS, ...own, ...status },
    sha256: () => sha256
  })
}

const OTHER_INODE = { inode: 43n }
const LATER = { mtimeSec: 99 }

test.each<[string, Changed, boolean]>([
  ['untouched', {}, true],
  ['touched', LATER, true],
  ['renamed', { path: 'elsewhere' }, true],
  ['renamed and touched', { path: 'elsewhere', ...LATER }, true],
  ['replaced by one of the same target', { ...OTHER_INODE, ...LATER }, false],
  [
    'replaced, and the inode is used again',
    { ...LATER, born: () => ({ sec: 2000, nsec: 5 }) },
    false
  ],
  ['replaced by a file', { type: 'file' }, false],
  ['replaced by a link to elsewhere', { link: 'other!' }, false],
  ['copied with the bundle to another place', { ...OTHER_INODE, isCopy: true }, true],
  ['copied and touched', { ...OTHER_INODE, isCopy: true, ...LATER }, true],
  [
    'copied, and another one has its inode',
    { path: 'other', isCopy: true, born: () => ({ sec: 1, nsec: 1 }) },
    false
  ],
  ['on a file system without times of birth', { ...LATER, born: () => undefined }, true],
  [
    'copied to a file system without times of birth',
    { path: 'other', isCopy: true, born: () => undefined },
    false
  ]
])('the owner of a link that was %s: kept %s', (_what, changed, isKept) => {
  expect(look({}, changed)).toEqual(isKept ? { uid: 9, gid: 10 } : undefined)
})

const DEVICE_NODE: Partial<UnheldRecord> = {
  type: 'file',
  link: '',
  mode: 0o660,
  unheld: { type: 'block', devMajor: 8, devMinor: 1 }
}

test.each<[string, Changed, Unheld | undefined]>([
  ['touched', LATER, { type: 'block', devMajor: 8, devMinor: 1 }],
  ['given another mode', { mode: 0o600 }, { type: 'block', devMajor: 8, devMinor: 1 }],
  ['written to', { size: 1, ...LATER }, {}],
  ['replaced by an empty file', { ...OTHER_INODE, ...LATER }, undefined]
])('a stand-in that was %s', (_what, changed, expected) => {
  expect(look(DEVICE_NODE, changed)).toEqual(expected)
})

const PING: Partial<UnheldRecord> = {
  type: 'file',
  link: '',
  mode: 0o755,
  sha256: 'a',
  unheld: {
    mode: 0o4755,
    xattrs: [
      ['security.capability', 'c'],
      ['trusted.x', 't']
    ]
  }
}

test.each<[string, Changed, Unheld]>([
  ['untouched', {}, PING.unheld!],
  ['touched', LATER, PING.unheld!],
  [
    'written to, so that the kernel removed its capabilities',
    { sha256: 'b' },
    { mode: 0o4755, xattrs: [['trusted.x', 't']] }
  ],
  [
    'given another mode, so that the refused bits are out of date',
    { mode: 0o711 },
    { xattrs: PING.unheld!.xattrs! }
  ]
])('a program that was %s', (_what, changed, expected) => {
  expect(look(PING, changed)).toEqual(expected)
})

test('content is read only if it decides', () => {
  const never = (): string => expect.fail('read')
  const document = { device: DEVICE, inode: '2', objects: [LINK] }
  const memory = new UnheldMemory(document, { ...STATUS, inode: ROOT })
  const object = {
    path: LINK.path,
    link: LINK.link,
    born: () => BORN,
    status: STATUS,
    sha256: never
  }
  expect(memory.of(object)).toEqual(LINK.unheld)
})

test('what is written is read again, with bytes that are no text', () => {
  const record = {
    ...LINK,
    path: 'caf\xe9/\x01"\\\n',
    link: '\xff',
    unheld: { xattrs: [['user.\x80', '\0\xfe']] as const }
  }
  const document = { device: DEVICE, inode: '7', objects: [record, LINK] }
  const read = parseUnheld(formatUnheld(document), 'f')
  expect(read).toMatchObject(document)
  expect(parseUnheld(formatUnheld({ device: 1, inode: '2', objects: [] }), 'f').objects).toEqual([])
})

test.each(['', '{', '{"version":2,"device":1,"objects":[]}', '{"version":1}', 'null'])(
  'refuses %j',
  (text) => {
    expect(failure(() => parseUnheld(text, 'sha256_x.unheld'))).toMatchObject({
      code: 'BUNDLE_INVALID',
      facts: { file: 'sha256_x.unheld' }
    })
  }
)
