import { expect, test } from 'vitest'
import { exportName, isExportName } from '../../src/nbd/export.ts'
import { nbdUri } from '../../src/nbd/uri.ts'

test.each([
  ['', 'nbd+unix:///?socket=/run/a%20b/s%3F'],
  ['disk/a b?.img', 'nbd+unix:///disk/a%20b%3F.img?socket=/run/a%20b/s%3F'],
  ['ä#%', 'nbd+unix:///%C3%A4%23%25?socket=/run/a%20b/s%3F']
])('the URI of %j on a socket', (name, uri) => {
  expect(nbdUri({ socket: '/run/a b/s?' }, name)).toBe(uri)
})

test('the URI on a port', () => {
  expect(nbdUri({ host: '127.0.0.1', port: 10809 }, 'disk/a')).toBe('nbd://127.0.0.1:10809/disk/a')
})

test('names of exports', () => {
  expect(['/disk/a', '//a', 'a', './a', '/.//./a'].map(exportName)).toEqual([
    ...['disk/a', 'a', 'a', 'a', 'a']
  ])
  expect(['.a/b', '../a', 'a/./b'].map(exportName)).toEqual(['.a/b', '../a', 'a/./b'])
  const names = ['a', 'ä'.repeat(2048), '', 'a\0b', 'ä'.repeat(2049)]
  expect(names.map(isExportName)).toEqual([true, true, false, false, false])
})
