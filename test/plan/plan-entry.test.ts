import { describe, expect, test } from 'vitest'
import { planEntry, type EntryRules } from '../../src/plan/plan-entry.ts'
import { STAGED_NOWHERE } from '../../src/plan/staged-entry.ts'
import { entry } from '../support/archive.ts'
import { failure } from '../support/failure.ts'

const RULES: EntryRules = {
  policy: { kind: 'exact', uidMap: [], gidMap: [] },
  maxPathBytes: 4095
}
const MAPPED: EntryRules = {
  policy: {
    kind: 'exact',
    uidMap: [{ containerId: 0, hostId: 100_000, size: 10 }],
    gidMap: [{ containerId: 5, hostId: 7, size: 1 }]
  },
  maxPathBytes: 4095
}

describe('an entry as it will be on disk', () => {
  test('has its name cleaned and everything else as it was', () => {
    const { name, offset, ...rest } = entry({
      name: './a/../b/',
      mode: 0o4755,
      mtime: { sec: -1, nsec: 5 },
      atime: { sec: 1, nsec: 0 },
      xattrs: [['security.capability', '\x01\0']]
    })
    const planned = planEntry({ name, offset, ...rest }, RULES)
    expect(planned).toEqual({ ...rest, path: 'b', staged: STAGED_NOWHERE })
  })

  test('has the ids of the host', () => {
    expect(planEntry(entry({ uid: 9, gid: 5 }), MAPPED)).toMatchObject({ uid: 100_009, gid: 7 })
  })

  test.each([
    [{ uid: 10, gid: 5 }, 'The container uid 10 is not in any uid mapping.'],
    [{ uid: 0, gid: 0 }, 'The container gid 0 is not in any gid mapping.']
  ])('has no ids that are not mapped: %o', (ids, message) => {
    const error = failure(() => planEntry(entry(ids), MAPPED))
    expect(error).toMatchObject({ code: 'ID_NOT_MAPPED', message })
  })

  test('has no attributes that belong to the host', () => {
    const kept = [
      ['user.overlay.opaque', 'y'],
      ['security.selinuxx', '1'],
      ['system.posix_acl_access', '\x02']
    ] as const
    const { xattrs } = planEntry(
      entry({
        xattrs: [
          ['security.selinux', 'label'],
          ...kept,
          ['system.nfs4_acl', 'x'],
          ['trusted.SGI_ACL_FILE', 'x']
        ]
      }),
      RULES
    )
    expect(xattrs).toEqual(kept)
  })
})

test.each([
  ['.wh.a', 'whiteout', 'a'],
  ['d/.wh..wh..opq', 'opaque', 'd']
])('of a whiteout "%s" only the path counts', (name, type, path) => {
  const odd = entry({ name, type: 'char', uid: 99, devMajor: -1, link: 'x', size: 0 })
  expect(planEntry(odd, MAPPED)).toMatchObject({ type, path, link: '', uid: 0, xattrs: [] })
})

test('of a hard link only the names count, both cleaned', () => {
  const link = entry({ type: 'hardlink', name: '/b', link: '../x/./a', uid: 99, mode: 0o4777 })
  expect(planEntry(link, MAPPED)).toMatchObject({ path: 'b', link: 'x/a', uid: 0, mode: 0 })
})

describe('devices', () => {
  test.each([
    [0, 0],
    [4095, 1_048_575]
  ])('of %i:%i are possible', (devMajor, devMinor) => {
    expect(planEntry(entry({ type: 'block', devMajor, devMinor }), RULES).type).toBe('block')
  })

  test.each([
    [4096, 0],
    [0, 1_048_576],
    [-1, 0],
    [2 ** 33, 1],
    [1.5, 1],
    [NaN, 0]
  ])('of %d:%d are not', (devMajor, devMinor) => {
    const device = entry({ type: 'char', devMajor, devMinor })
    expect(failure(() => planEntry(device, RULES))?.code).toBe('ENTRY_INVALID')
  })

  test('alone have such numbers', () => {
    expect(planEntry(entry({ type: 'fifo', devMajor: -1 }), RULES).type).toBe('fifo')
  })
})

test.each(['symlink', 'hardlink'] as const)('a target of a %s has the limit of paths', (type) => {
  const rules = { ...RULES, maxPathBytes: 10 }
  expect(planEntry(entry({ type, link: 'x'.repeat(10) }), rules).link).toHaveLength(10)
  const error = failure(() => planEntry(entry({ type, link: 'x'.repeat(11) }), rules))
  expect(error?.code).toBe('LIMIT_EXCEEDED')
})
