/** The ids of a user namespace, from the files in /proc. */
import { expect, test } from 'vitest'
import { idsFrom } from '../../src/sys/user-namespace.ts'

const INITIAL = '         0          0 4294967295\n'

test('the initial namespace, and a kernel without namespaces, have no maps', () => {
  expect(idsFrom(INITIAL, INITIAL)).toBeUndefined()
  expect(idsFrom('', '')).toBeUndefined()
})

test('a line for each range', () => {
  const maps = '         0       1000          1\n         1     100000      65536\n'
  expect(idsFrom(maps, INITIAL)).toEqual({
    uidMap: [
      { containerId: 0, hostId: 1000, size: 1 },
      { containerId: 1, hostId: 100_000, size: 65_536 }
    ],
    gidMap: [{ containerId: 0, hostId: 0, size: 4_294_967_295 }]
  })
})
