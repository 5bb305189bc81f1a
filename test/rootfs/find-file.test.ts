import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DirectoryCursor } from '../../src/rootfs/directory-cursor.ts'
import { findFile } from '../../src/rootfs/find-file.ts'
import { withScratch } from '../support/open-directory.ts'

const PASSWD = { directory: 'usr/etc', name: 'passwd' }

test.each<[string, string, string | undefined, ReturnType<typeof findFile>]>([
  ['a path without links', 'usr/etc/passwd', undefined, PASSWD],
  ['a link to a directory', 'l/etc/passwd', 'usr', PASSWD],
  ['a link to a file', 'l', 'usr/etc/passwd', PASSWD],
  ['a link from the root', 'l', '/usr/etc/./passwd', PASSWD],
  ['a link to above the root', 'l', '../../../usr/etc/passwd', PASSWD],
  ['a link there and back', 'usr/up/l/etc/passwd', '/usr/etc/../', PASSWD],
  ['nothing', 'usr/etc/nothing', undefined, undefined],
  ['a directory that is not there', 'nothing/passwd', undefined, undefined],
  ['a directory', 'usr/etc', undefined, undefined],
  ['a file as a directory', 'usr/etc/passwd/x', undefined, undefined],
  ['a link to nothing', 'l', '/nowhere', undefined],
  ['a link to itself', 'l', 'l', undefined],
  ['a file of the host', 'l', '/etc/hostname', undefined]
])('finds %s', (_name, path, target, found) => {
  withScratch((fd, directory) => {
    mkdirSync(`${directory}/usr/etc`, { recursive: true })
    symlinkSync('..', `${directory}/usr/up`)
    writeFileSync(`${directory}/usr/etc/passwd`, '')
    if (target !== undefined) symlinkSync(target, `${directory}/l`)
    expect(findFile(new DirectoryCursor(fd), path)).toEqual(found)
  })
})
