/** ACLs as text and as attributes. */
import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aclMode, aclText, encodeAcl, isExtended, parseAcl } from '../../src/tar/acl.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const IDS: Record<string, number> = { 'user daemon': 1, 'group adm': 4, 'user a b': 7 }
const findId = (kind: string, name: string): number | undefined => IDS[`${kind} ${name}`]

const ENOUGH = 'user::rw-,user:1:rwx:1,group::r--,group:4:r-x:4,mask::r-x,other::r--'

/** One ACL, as its writers spell it. */
const SPELLINGS: readonly (readonly [writer: string, text: string])[] = [
  ['this program', ENOUGH],
  ['star', 'user::rw-,user:daemon:rwx:1,group::r--,group:adm:r-x:4,mask::r-x,other::r--'],
  ['star, with names of another machine', ENOUGH.replace(/:[14]:/g, ':else:')],
  ['star on Solaris', 'user::rw-,user:daemon:rwx:1,group::r--,group:adm:r-x:4,mask:r-x,other:r--'],
  ['bsdtar', 'user::rw-,group::r--,other::r--,user:daemon:rwx:1,group:4:r-x,mask::r-x'],
  ['GNU tar', 'user::rw-\nuser:daemon:rwx\ngroup::r--\ngroup:adm:r-x\nmask::r-x\nother::r--\n'],
  [
    'GNU tar, with comments',
    'user::rw-\nuser:daemon:rwx\t#effective:r-x\ngroup::r--\ngroup:4:r-x\nmask::r-x\nother::r--\n'
  ],
  ['hand', ' u::6 , u:1:7 , g::r , g:4:rx , m::r-x , o::4 '],
  ['older bsdtar, for a default', ENOUGH.replace(/(^|,)/g, '$1default:')]
]

test.each(SPELLINGS)('%s spells an ACL', (_writer, text) => {
  const acl = parseAcl(text, findId)
  expect(acl).not.toBeTypeOf('string')
  expect(typeof acl === 'string' ? acl : aclText(encodeAcl(acl))).toBe(ENOUGH)
  expect(typeof acl === 'string' ? acl : aclMode(acl, 0o4777)).toBe(0o4654)
})

test('names have escapes', () => {
  const acl = parseAcl('user::r--,user:a\\040b:r--,group::---,mask::r--,other::---', findId)
  expect(typeof acl === 'string' ? acl : aclText(encodeAcl(acl))).toContain('user:7:r--:7')
})

test.each([
  ['', 'the owner, the group and others'],
  ['user::rwx,group::rwx', 'the owner, the group and others'],
  ['user::rwx,user::rwx,group::rwx,other::rwx', 'the owner, the group and others'],
  ['user::rwx,user:1:rwx,group::rwx,other::rwx', 'needs one mask'],
  ['user::rwx,group::rwx,mask::r--,mask::r--,other::rwx', 'needs one mask'],
  [`${ENOUGH},user:daemon:r--`, 'names somebody twice'],
  [`${ENOUGH},user:nobody:r--`, 'the number of the user "nobody" is not in the archive'],
  [`${ENOUGH},user:4294967295:r--`, 'the number of the user'],
  ['owner@:rwxp--aARWcCos:-------:allow', 'is not an entry of an ACL'],
  ['user::rwz,group::rwx,other::rwx', 'malformed permissions'],
  ['user:rwx', 'malformed permissions']
])('%s is refused', (text, reason) => {
  expect(parseAcl(text, findId)).toContain(reason)
})

test('an attribute that is not an ACL has no text', () => {
  for (const value of ['', '\x02\0\0', '\x01\0\0\0', '\x02\0\0\0\x40\0\x07\0\0\0\0\0'])
    expect(aclText(value)).toBeUndefined()
})

test('only entries beyond the mode count', () => {
  expect(isExtended('user::rwx\ngroup::r-x\nother::r-x\n')).toBe(false)
  expect(isExtended(ENOUGH)).toBe(true)
})

test('text and attribute say the same', () => {
  const named = fc.uniqueArray(fc.integer({ min: 0, max: 0xffff_fffe }), { maxLength: 4 })
  const permissions = fc.integer({ min: 0, max: 7 })
  fc.assert(
    fc.property(named, named, permissions, (users, groups, bits) => {
      const lines = [
        `user::${bits}`,
        ...users.map((id) => `user:${id}:${bits}`),
        `group::${bits}`,
        ...groups.map((id) => `group:${id}:${bits}`),
        `mask::${bits}`,
        `other::${bits}`
      ]
      const acl = parseAcl(lines.join(), findId)
      const value = typeof acl === 'string' ? acl : encodeAcl(acl)
      const again = parseAcl(aclText(value) ?? '', findId)
      expect(typeof again === 'string' ? again : encodeAcl(again)).toBe(value)
    })
  )
})

describe.runIf(needs('setfacl', 'getfattr'))('the kernel', () => {
  test('agrees on the attribute and the mode', () => {
    const work = makeTemporary()
    try {
      writeFileSync(`${work}/file`, '', { mode: 0o600 })
      execFileSync('setfacl', ['--set', ENOUGH.replace(/:[14](?=,)/g, ''), `${work}/file`])
      const get = ['--only-values', '-n', 'system.posix_acl_access', 'file']
      const value = execFileSync('getfattr', get, { cwd: work, encoding: 'latin1' })
      expect(aclText(value)).toBe(ENOUGH)
      expect(statSync(`${work}/file`).mode & 0o777).toBe(0o654)
    } finally {
      removeTemporary(work)
    }
  })
})
