import { describe, expect, test } from 'vitest'
import { parseGroup, parsePasswd } from '../../src/bundle/passwd.ts'

describe('parsePasswd', () => {
  test('reads names, ids and homes in order', () => {
    const text = 'root:x:0:0:root:/root:/bin/sh\nd\xe9mon:*:1:4294967294::\n'
    expect([...parsePasswd(text)]).toEqual([
      { name: 'root', uid: 0, gid: 0, home: '/root' },
      { name: 'd\xe9mon', uid: 1, gid: 4_294_967_294, home: '' }
    ])
  })

  test('takes short lines, blank lines, indents and DOS line ends', () => {
    expect([...parsePasswd('\n  a:x:1:2\r\n\t\nb:x:3:4:::/sh')]).toEqual([
      { name: 'a', uid: 1, gid: 2, home: '' },
      { name: 'b', uid: 3, gid: 4, home: '' }
    ])
  })

  test.each([
    'a:x::0:',
    'a:x:0',
    'a:x:zero:0:',
    'a:x:-1:0:',
    'a:x:4294967295:0:',
    ':x:0:0:',
    '+::::'
  ])('skips %j instead of making somebody root', (line) => {
    expect([...parsePasswd(line)]).toEqual([])
  })
})

describe('parseGroup', () => {
  test('reads names, ids and members in order', () => {
    expect([...parseGroup('root:x:0:\nwheel:x:10:root,a\nshort:x:7')]).toEqual([
      { name: 'root', gid: 0, members: [''] },
      { name: 'wheel', gid: 10, members: ['root', 'a'] },
      { name: 'short', gid: 7, members: [''] }
    ])
  })

  test.each(['a:x::root', 'a:x', 'a:x:ten:root', ':x:1:root'])('skips %j', (line) => {
    expect([...parseGroup(line)]).toEqual([])
  })
})
