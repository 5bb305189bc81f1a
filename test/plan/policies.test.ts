/** What every metadata policy must keep, and what each says for itself. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ObjectMetadata } from '../../src/plan/policy/metadata-policy.ts'
import { layerPolicy, withoutMarks } from '../../src/plan/policy/layer-policy.ts'
import {
  fromDisk,
  POLICIES,
  toDisk,
  unheldOf,
  type PolicyChoice
} from '../../src/plan/policy/policies.ts'
import type { Xattr } from '../../src/tar/entry.ts'
import { anyEntry } from '../support/arbitrary-entry.ts'
import { failure } from '../support/failure.ts'

const NO_MAPS = { uidMap: [], gidMap: [] }
const MAPS = {
  uidMap: [
    { containerId: 0, hostId: 1000, size: 1 },
    { containerId: 1, hostId: 100_000, size: 9 }
  ],
  gidMap: [{ containerId: 0, hostId: 7, size: 10 }]
}

const EXACT = { kind: 'exact', ...NO_MAPS } as const
const MAPPED = { kind: 'exact', ...MAPS } as const
const LIMITED = { kind: 'limited', makesDevices: false, ...NO_MAPS } as const
const ROOTLESS = { kind: 'rootless', uid: 1500, gid: 1501, hasMemory: true, ...MAPS } as const

/** Every kind of policy, in each form that it has. A policy that is not here fails the first test. */
const CHOICES: readonly PolicyChoice[] = [
  EXACT,
  MAPPED,
  { kind: 'overlay', namespace: 'trusted.overlay.', under: EXACT },
  { kind: 'overlay', namespace: 'trusted.overlay.', under: MAPPED },
  { kind: 'overlay', namespace: 'user.overlay.', under: MAPPED },
  LIMITED,
  { ...LIMITED, makesDevices: true },
  { kind: 'limited', makesDevices: false, ...MAPS },
  ROOTLESS,
  { ...ROOTLESS, hasMemory: false },
  { kind: 'overlay', namespace: 'user.overlay.', under: LIMITED },
  { kind: 'overlay', namespace: 'user.overlay.', under: ROOTLESS }
]

test('every policy of the list is held to the laws', () => {
  expect(new Set(CHOICES.map(({ kind }) => kind))).toEqual(new Set(Object.keys(POLICIES)))
})

const PLAIN: ObjectMetadata = {
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  devMajor: 0,
  devMinor: 0,
  xattrs: []
}

const SHAPES: readonly [string, Partial<ObjectMetadata>][] = [
  ['file', {}],
  ['directory', { type: 'directory', mode: 0o1777 }],
  ['symbolic link', { type: 'symlink', mode: 0o777 }],
  ['FIFO', { type: 'fifo' }],
  ['character device', { type: 'char', devMajor: 1, devMinor: 3 }],
  ['block device 0:0', { type: 'block' }],
  ['program that runs as another', { mode: 0o6755, uid: 9, gid: 9 }],
  ['program with capabilities', { xattrs: [['security.capability', '\x01\0\0\x02']] }],
  ['link of another owner', { type: 'symlink', mode: 0o777, uid: 9, gid: 5 }],
  ['file with the owner attribute of its own', { xattrs: [['user.rootlesscontainers', 'x']] }],
  ['file with an ACL', { xattrs: [['system.posix_acl_access', '\x02\0\0\0']] }],
  [
    'file with a label of the host',
    {
      xattrs: [
        ['security.selinux', 'system_u'],
        ['user.a', 'b']
      ]
    }
  ],
  [
    'directory of another overlay',
    { type: 'directory', xattrs: [['trusted.overlay.opaque', 'y']] }
  ],
  [
    'nested mark',
    {
      xattrs: [
        ['trusted.overlay.overlay.redirect', '/'],
        ['user.overlay.x', '']
      ]
    }
  ],
  [
    'name like a mark',
    {
      xattrs: [
        ['trusted.overlayx', ''],
        ['trusted.overlay.', 'z']
      ]
    }
  ]
]

describe.each(CHOICES.map((choice) => [JSON.stringify(choice), choice] as const))(
  '%s',
  (_, choice) => {
    test.each(SHAPES)('gives back a %s, up to what it says it cannot hold', (_name, shape) => {
      expectKept({ ...PLAIN, ...shape }, choice)
    })

    test('gives back anything that it takes', () => {
      fc.assert(fc.property(anyObject, (object) => expectKept(object, choice)))
    })

    test('gives from disk what it can write again, whatever lies there', () => {
      const onDisk = anyObject.map((object) => mappedTo(object, choice))
      fc.assert(
        fc.property(onDisk, (object) => {
          expectKept(fromDisk(object, choice), choice)
        })
      )
    })

    test('changes no value that it was given', () => {
      const object: ObjectMetadata = deepFreeze({
        ...PLAIN,
        xattrs: [
          ['trusted.overlay.a', ''],
          ['user.overlay.b', ''],
          ['security.selinux', 'x']
        ]
      })
      toDisk(object, choice)
      fromDisk(deepFreeze(mappedTo(object, choice)), choice)
    })

    test('is plain data, which another thread can get', () => {
      expect(structuredClone(choice)).toEqual(choice)
    })
  }
)

const WITH_MAPS = CHOICES.filter((choice) => {
  const { kind, uidMap } = choice.kind === 'overlay' ? choice.under : choice
  return kind !== 'rootless' && uidMap.length > 0
})

describe.each(WITH_MAPS)('$kind with id maps', (choice) => {
  test('maps owners to the host and back', () => {
    const object = toDisk({ ...PLAIN, uid: 9, gid: 5 }, choice)
    expect(object).toMatchObject({ uid: 100_008, gid: 12 })
    expect(fromDisk(object, choice)).toMatchObject({ uid: 9, gid: 5 })
  })

  test.each([
    ['to', { uid: 10 }, 'The container uid 10 is not in any uid mapping.'],
    ['to', { gid: 10 }, 'The container gid 10 is not in any gid mapping.'],
    ['from', { uid: 1 }, 'The host uid 1 is not in any uid mapping.'],
    ['from', { uid: 1000, gid: 6 }, 'The host gid 6 is not in any gid mapping.']
  ])('refuses %s disk %o', (way, ids, message) => {
    const move = way === 'to' ? toDisk : fromDisk
    const error = failure(() => move({ ...PLAIN, ...ids }, choice))
    expect(error).toMatchObject({ code: 'ID_NOT_MAPPED', message })
  })
})

describe('exact', () => {
  const choice: PolicyChoice = { kind: 'exact', ...NO_MAPS }
  const xattrs: readonly Xattr[] = [
    ['security.selinux', 'label'],
    ['security.selinuxx', '1'],
    ['system.nfs4_acl', 'x'],
    ['trusted.SGI_ACL_FILE', 'x'],
    ['trusted.SGI_ACL_DEFAULT', 'x'],
    ['user.overlay.opaque', 'y']
  ]
  const kept: readonly Xattr[] = [
    ['security.selinuxx', '1'],
    ['user.overlay.opaque', 'y']
  ]

  test('neither writes nor reads the attributes of the host', () => {
    expect(toDisk({ ...PLAIN, xattrs }, choice).xattrs).toEqual(kept)
    expect(fromDisk({ ...PLAIN, xattrs }, choice).xattrs).toEqual(kept)
  })

  test('says that it holds all but these', () => {
    expect(POLICIES.exact.unheld({ ...PLAIN, xattrs: kept }, choice)).toEqual({})
    const { xattrs: left = [] } = POLICIES.exact.unheld({ ...PLAIN, xattrs }, choice)
    expect(left).toEqual(xattrs.filter((each) => !kept.some(([name]) => name === each[0])))
  })

  test('takes a character device 0:0', () => {
    expect(toDisk({ ...PLAIN, type: 'char' }, choice).type).toBe('char')
  })
})

describe('overlay', () => {
  const choice: PolicyChoice = { kind: 'overlay', namespace: 'trusted.overlay.', under: EXACT }
  const image: readonly Xattr[] = [
    ['trusted.overlay.opaque', 'y'],
    ['trusted.overlay.overlay.redirect', '/'],
    ['trusted.overlayx', ''],
    ['user.overlay.whiteout', 'y']
  ]
  const disk: readonly Xattr[] = [
    ['trusted.overlay.overlay.opaque', 'y'],
    ['trusted.overlay.overlay.overlay.redirect', '/'],
    ['trusted.overlayx', ''],
    ['user.overlay.whiteout', 'y']
  ]

  test("attributes in the mount's namespace get one more level and lose it again", () => {
    expect(toDisk({ ...PLAIN, xattrs: image }, choice).xattrs).toEqual(disk)
    expect(fromDisk({ ...PLAIN, xattrs: disk }, choice).xattrs).toEqual(image)
  })

  test("the mount's own attributes are not the image's", () => {
    const marks: readonly Xattr[] = [
      ['trusted.overlay.opaque', 'y'],
      ['trusted.overlay.origin', 'x']
    ]
    expect(fromDisk({ ...PLAIN, xattrs: [...marks, ...disk] }, choice).xattrs).toEqual(image)
  })

  test('a character device 0:0 cannot be, since it would be a whiteout', () => {
    const device: ObjectMetadata = { ...PLAIN, type: 'char' }
    expect(failure(() => toDisk(device, choice))).toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { reason: 'overlayfs treats it as a whiteout' }
    })
    expect(toDisk({ ...device, type: 'block' }, choice).type).toBe('block')
    expect(toDisk({ ...device, devMinor: 1 }, choice).type).toBe('char')
  })
})

describe('rootless', () => {
  const own = { uid: 1500, gid: 1501 }
  const owner = (
    uid: number,
    gid: number,
    shape: Partial<ObjectMetadata> = {}
  ): ObjectMetadata => ({
    ...PLAIN,
    ...shape,
    uid,
    gid
  })

  test.each([
    [992, 123, '08e007107b'],
    [0, 456, '08ffffffff0f10c803'],
    [98, 0, '086210ffffffff0f'],
    [492, 218, '08ec0310da01'],
    [0, 0, undefined]
  ])('keeps the owner %i:%i in an attribute, as umoci does', (uid, gid, hex) => {
    const object = toDisk(owner(uid, gid), ROOTLESS)
    const xattrs = hex === undefined ? [] : [[OWNER, bytes(hex)]]
    expect(object).toEqual({ ...PLAIN, ...own, xattrs })
    expect(fromDisk(object, ROOTLESS)).toEqual(owner(uid, gid))
  })

  test.each([
    ['nothing', '', 0, 0],
    ['one field only', '1006', 0, 6],
    ['the other field only', '0807', 7, 0],
    ['no override of both', '08ffffffff0f10ffffffff0f', 0, 0],
    ['fields in another order', '10060807', 7, 6],
    ['a field twice, of which the last counts', '080708091006', 9, 6],
    [
      'unknown fields of every kind',
      '1801' + '2203616263' + '2d01020304' + '310102030405060708' + '08071006',
      7,
      6
    ],
    ['an id of ten bytes, of which 32 bits count', '0887808080808080808001', 7, 0]
  ])('reads %s', (_what, hex, uid, gid) => {
    const object = { ...PLAIN, uid: 77, gid: 78, xattrs: [[OWNER, bytes(hex)] as const] }
    expect(fromDisk(object, ROOTLESS)).toEqual(owner(uid, gid))
  })

  test.each([
    ['cut short', '08'],
    ['a number without end', '08ffffffffffffffffffff01'],
    ['a field that is longer than the rest', '2209'],
    ['field 0', '0007'],
    ['a group', '0b0c'],
    ['text', Buffer.from('root').toString('hex')]
  ])('refuses a damaged attribute: %s', (_what, hex) => {
    const object = { ...PLAIN, xattrs: [[OWNER, bytes(hex)] as const] }
    expect(failure(() => fromDisk(object, ROOTLESS))).toMatchObject({
      code: 'ENTRY_INVALID',
      hint: 'Remove the attribute with `setfattr -x user.rootlesscontainers`: the owner is then root.'
    })
  })

  test.each(['symlink', 'fifo'] as const)(
    'remembers the owner of a %s, which can have no attribute',
    (type) => {
      const entry = owner(9, 0, { type })
      expect(toDisk(entry, ROOTLESS)).toEqual({ ...entry, ...own })
      expect(unheldOf(entry, ROOTLESS)).toEqual({ uid: 9, gid: 0 })
      expect(unheldOf(owner(0, 0, { type }), ROOTLESS)).toBeUndefined()
    }
  )

  test('remembers the owner of what its owner may not read, because attributes of such an object are hidden too', () => {
    const entry = owner(9, 0, { type: 'directory', mode: 0o311 })
    expect(toDisk(entry, ROOTLESS)).toEqual({ ...entry, ...own })
    expect(unheldOf(entry, ROOTLESS)).toEqual({ uid: 9, gid: 0 })
  })

  test('what its owner may not read has the attribute only where nothing is remembered', () => {
    const entry = owner(9, 0, { mode: 0o200 })
    const alone = { ...ROOTLESS, hasMemory: false }
    expect(toDisk(entry, ROOTLESS).xattrs).toEqual([])
    expect(unheldOf(entry, ROOTLESS)).toEqual({ uid: 9, gid: 0 })
    expect(toDisk(entry, alone).xattrs).toEqual([[OWNER, bytes('080910ffffffff0f')]])
    expect(unheldOf(entry, alone)).toBeUndefined()
  })

  test("a capability that one of the user's namespaces has set is one of the image", () => {
    const v2 = `\x01\0\0\x02\0\x20${'\0'.repeat(14)}`
    const v3 = (id: number): string => {
      const root = Buffer.alloc(4)
      root.writeUInt32LE(id)
      return `\x01\0\0\x03\0\x20${'\0'.repeat(14)}${root.toString('latin1')}`
    }
    const read = (value: string): unknown =>
      fromDisk({ ...PLAIN, xattrs: [['security.capability', value]] }, ROOTLESS).xattrs[0]![1]
    expect(read(v3(1500))).toBe(v2)
    expect(read(v3(1501))).toBe(v3(1501))
    expect(read(v2)).toBe(v2)
  })

  test('has a file in place of a device, with its owner', () => {
    const entry = owner(0, 6, { type: 'block', mode: 0o660, devMajor: 8, devMinor: 1 })
    expect(toDisk(entry, ROOTLESS)).toEqual({
      ...PLAIN,
      ...own,
      mode: 0o660,
      xattrs: [[OWNER, bytes('08ffffffff0f1006')]]
    })
    expect(unheldOf(entry, ROOTLESS)).toEqual({ type: 'block', devMajor: 8, devMinor: 1 })
  })

  test('an attribute of the image of that name is not written', () => {
    const entry = owner(0, 0, {
      xattrs: [
        [OWNER, 'x'],
        ['user.a', 'b']
      ]
    })
    expect(toDisk(entry, ROOTLESS).xattrs).toEqual([['user.a', 'b']])
    expect(unheldOf(entry, ROOTLESS)).toEqual({ xattrs: [[OWNER, 'x']] })
  })

  test('nothing is remembered by a policy that holds everything', () => {
    const entry = owner(9, 9, { type: 'char', xattrs: [['security.selinux', 'x']] })
    expect(unheldOf(entry, EXACT)).toBeUndefined()
    expect(unheldOf(entry, LIMITED)).toEqual({ type: 'char', devMajor: 0, devMinor: 0 })
  })
})

describe('the directory of a layer', () => {
  test.each([
    ['none', MAPPED],
    ['overlay', { kind: 'overlay', namespace: 'trusted.overlay.', under: MAPPED }],
    ['overlay-userxattr', { kind: 'overlay', namespace: 'user.overlay.', under: MAPPED }]
  ] as const)('with whiteouts "%s" has the policy for them', (form, expected) => {
    expect(layerPolicy(MAPPED, form)).toEqual(expected)
  })

  test('is read as it was written, without marks and with the owners that it has', () => {
    const marked: ObjectMetadata = {
      ...PLAIN,
      uid: 4_000_000_000,
      xattrs: [
        ['trusted.overlay.opaque', 'y'],
        ['trusted.overlay.overlay.opaque', 'x'],
        ['security.selinux', 'label'],
        ['user.overlay.a', '']
      ]
    }
    expect(withoutMarks(marked, 'overlay')).toEqual({
      ...marked,
      xattrs: [
        ['trusted.overlay.overlay.opaque', 'x'],
        ['user.overlay.a', '']
      ]
    })
    expect(withoutMarks(marked, 'none').xattrs).toHaveLength(3)
  })
})

/** Ids that all the maps know; attributes that some policy takes for special, and others. */
const special = fc.constantFrom<Xattr>(
  ['security.selinux', 'l'],
  ['trusted.SGI_ACL_FILE', ''],
  ['trusted.overlay.opaque', 'y'],
  ['trusted.overlay.overlay.opaque', 'y'],
  ['trusted.overlay.overlay.', ''],
  ['user.overlay.whiteout', ''],
  ['user.overlay.overlay.overlay.x', ''],
  ['user.rootlesscontainers', '\x08\x09\x10\x05']
)
const anyObject: fc.Arbitrary<ObjectMetadata> = fc
  .tuple(
    anyEntry.filter(({ type }) => type !== 'hardlink'),
    fc.nat({ max: 9 }),
    fc.nat({ max: 9 }),
    fc.uniqueArray(special, { selector: ([name]) => name })
  )
  .map(([{ type, mode, devMajor, devMinor, xattrs }, uid, gid, more]) => ({
    ...{ type: type as ObjectMetadata['type'], mode, devMajor, devMinor, uid, gid },
    xattrs: [...xattrs.filter(([name]) => !more.some(([other]) => other === name)), ...more]
  }))

function expectKept(entry: ObjectMetadata, choice: PolicyChoice): void {
  if (isRefused(entry, choice)) return
  const back = fromDisk(toDisk(entry, choice), choice)
  const lost = POLICIES[choice.kind].unheld(entry, choice)
  const xattrs = [...back.xattrs, ...(lost.xattrs ?? [])]
  expect(sorted({ ...back, ...lost, xattrs })).toEqual(sorted(entry))
}

const OWNER = 'user.rootlesscontainers'

function bytes(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}

function isRefused(entry: ObjectMetadata, choice: PolicyChoice): boolean {
  return failure(() => toDisk(entry, choice))?.code === 'ENTRY_INVALID'
}

/** An object as it could lie on disk: with owners that the choice's maps lead to. */
function mappedTo(object: ObjectMetadata, choice: PolicyChoice): ObjectMetadata {
  const { uid, gid } = toDisk({ ...PLAIN, uid: object.uid, gid: object.gid }, choice)
  return { ...object, uid, gid }
}

function sorted(object: ObjectMetadata): ObjectMetadata {
  return { ...object, xattrs: object.xattrs.toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}

function deepFreeze(object: ObjectMetadata): ObjectMetadata {
  Object.freeze(object.xattrs)
  return Object.freeze(object)
}
