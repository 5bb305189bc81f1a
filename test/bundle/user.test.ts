import { describe, expect, test } from 'vitest'
import { checkUser, resolveUser, type Accounts } from '../../src/bundle/user.ts'

const ACCOUNTS: Accounts = {
  passwd: [
    'toor:x:0:5::/toor:/bin/sh',
    'root:x:0:0::/root:/bin/sh',
    'app:x:1000:1001::/home/app:',
    'app:x:9:9::/second:',
    '1000:x:77:77::/digits:',
    'h\xc3\xa9l\xc3\xa8ne:x:5:6::'
  ].join('\n'),
  group: [
    'adm:x:4:toor,app',
    'wheel:x:10:root,app,x',
    'none:x:11:',
    'adm:x:44:app',
    '10:x:55:app'
  ].join('\n')
}
const NO_FILES: Accounts = { passwd: undefined, group: undefined }

describe('resolveUser', () => {
  test.each([
    ['', 0, 5, [4], '/toor'],
    ['root', 0, 0, [10], '/root'],
    ['app', 1000, 1001, [4, 10, 44, 55], '/home/app'],
    ['app:adm', 1000, 4, [], '/home/app'],
    ['app:10', 1000, 10, [], '/home/app'],
    ['app:', 1000, 1001, [4, 10, 44, 55], '/home/app'],
    [':adm', 0, 4, [], '/toor'],
    ['1000', 1000, 1001, [], '/home/app'],
    ['1000:77', 1000, 77, [], '/home/app'],
    ['0', 0, 5, [], '/toor'],
    ['4242', 4242, 0, [], undefined],
    ['4242:none', 4242, 11, [], undefined],
    ['2147483647', 2_147_483_647, 0, [], undefined],
    ['app:adm:ignored', 1000, 4, [], '/home/app'],
    ['hélène', 5, 6, [], undefined]
  ])('takes %j for uid %d, gid %d, groups %j, home %j', (text, uid, gid, additionalGids, home) => {
    expect(resolveUser(text, ACCOUNTS)).toEqual({ uid, gid, additionalGids, home })
  })

  test.each(['', '0', '7', '7:8'])('needs no files for %j', (text) => {
    const [uid = '', gid = ''] = text.split(':')
    const expected = { uid: Number(uid), gid: Number(gid), additionalGids: [], home: undefined }
    expect(resolveUser(text, NO_FILES)).toEqual(expected)
  })

  test.each([
    ['nobody', ACCOUNTS, 'etc/passwd'],
    ['app', NO_FILES, 'etc/passwd'],
    ['app:nogroup', ACCOUNTS, 'etc/group'],
    ['7:adm', NO_FILES, 'etc/group']
  ])('does not know %j', (text, accounts, file) => {
    expect(() => resolveUser(text, accounts)).toThrow(
      expect.objectContaining({
        code: 'USER_NOT_FOUND',
        facts: { file, pointer: '/config/User', found: text }
      })
    )
  })
})

describe('checkUser', () => {
  test.each(['-1', '2147483648', '0:-5', '0:99999999999999999999', 'app:2147483648'])(
    'refuses the id in %j without any file',
    (text) => {
      expect(() => checkUser(text)).toThrow(expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }))
    }
  )

  test('lets names pass: only the image knows them', () => {
    expect(() => checkUser('any:body')).not.toThrow()
  })
})
