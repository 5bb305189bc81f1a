/** What every metadata policy must keep, and what each says for itself. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ObjectMetadata } from '../../src/plan/policy/metadata-policy.ts'
import { layerPolicy, withoutMarks } from '../../src/plan/policy/layer-policy.ts'
import { fromDisk, POLICIES, toDisk, type PolicyChoice } from '../../src/plan/policy/policies.ts'
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

/** Every kind of policy, in each form that it has. A policy that is not here fails the first test. */
const CHOICES: readonly PolicyChoice[] = [
  { kind: 'exact', ...NO_MAPS },
  { kind: 'exact', ...MAPS },
  { kind: 'overlay', namespace: 'trusted.overlay.', ...NO_MAPS },
  { kind: 'overlay', namespace: 'trusted.overlay.', ...MAPS },
  { kind: 'overlay', namespace: 'user.overlay.', ...MAPS }
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
          const entry = fromDisk(object, choice)
          fc.pre(!isRefused(entry, choice))
          expect(fromDisk(toDisk(entry, choice), choice)).toEqual(entry)
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

describe.each(CHOICES.filter(({ uidMap }) => uidMap.length > 0))('$kind with id maps', (choice) => {
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
  const choice: PolicyChoice = { kind: 'overlay', namespace: 'trusted.overlay.', ...NO_MAPS }
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

describe('the directory of a layer', () => {
  const exact: PolicyChoice = { kind: 'exact', ...MAPS }

  test.each([
    ['none', exact],
    ['overlay', { kind: 'overlay', namespace: 'trusted.overlay.', ...MAPS }],
    ['overlay-userxattr', { kind: 'overlay', namespace: 'user.overlay.', ...MAPS }]
  ] as const)('with whiteouts "%s" has the policy for them', (form, expected) => {
    expect(layerPolicy(exact, form)).toEqual(expected)
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
  ['user.overlay.overlay.overlay.x', '']
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
