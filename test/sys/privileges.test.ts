/** What capabilities and the user namespace of a process say about it. */
import { expect, test } from 'vitest'
import { privilegesFrom } from '../../src/sys/privileges.ts'

const ALL = 'CapEff:\t000001ffffffffff\n'
const NONE = 'CapEff:\t0000000000000000\n'
const INITIAL = '         0          0 4294967295\n'
const MAPPED = '         0       1500          1\n         1     100000      65536\n'

test.each([
  [
    'root',
    ALL,
    INITIAL,
    { overridesModes: true, makesDevices: true, setsEveryXattr: true, mountsImages: true }
  ],
  [
    'an ordinary user',
    NONE,
    INITIAL,
    { overridesModes: false, makesDevices: false, setsEveryXattr: false, mountsImages: false }
  ],
  [
    'root of a user namespace',
    ALL,
    MAPPED,
    { overridesModes: true, makesDevices: false, setsEveryXattr: false, mountsImages: false }
  ],
  [
    'a namespace that maps only its root',
    ALL,
    '0 0 1\n',
    { overridesModes: true, makesDevices: false, setsEveryXattr: false, mountsImages: false }
  ],
  // docker run --cap-drop MKNOD: the default set of docker without bit 27
  [
    'root without CAP_MKNOD',
    'CapEff:\t00000000a00425fb\n',
    INITIAL,
    { overridesModes: true, makesDevices: false, setsEveryXattr: false, mountsImages: false }
  ],
  [
    'root without CAP_DAC_OVERRIDE',
    'CapEff:\t000001fffffffffd\n',
    INITIAL,
    { overridesModes: false, makesDevices: true, setsEveryXattr: true, mountsImages: true }
  ],
  [
    'a kernel without user namespaces',
    ALL,
    '',
    { overridesModes: true, makesDevices: true, setsEveryXattr: true, mountsImages: true }
  ],
  [
    'no /proc',
    '',
    '',
    { overridesModes: false, makesDevices: false, setsEveryXattr: false, mountsImages: false }
  ]
])('%s', (_who, status, uidMap, expected) => {
  expect(privilegesFrom(status, uidMap)).toEqual(expected)
})
