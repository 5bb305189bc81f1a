/** A file that appears whole or not at all, and where names change under its hands. */
import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { createNewFile } from '../../src/workspace/new-file.ts'
import { makePrivateDirectory } from '../../src/workspace/private-directory.ts'
import { withScratch } from '../support/open-directory.ts'

const HIDDEN = '.file.oci-unpack-0123456789ab'

test('it gets its name, durably, when it is published', () => {
  withScratch((directory, path) => {
    const file = createNewFile(directory, HIDDEN)
    file.write(Buffer.from('whole'))
    expect(fs.readdirSync(path)).toEqual([HIDDEN])
    file.publish({ directory, name: 'file', replaces: false })
    file.discard()
    expect(fs.readdirSync(path)).toEqual(['file'])
    expect(fs.readFileSync(`${path}/file`, 'utf8')).toBe('whole')
  })
})

test('what has the name already stays, unless it is to be replaced', () => {
  withScratch((directory, path) => {
    fs.writeFileSync(`${path}/file`, 'theirs')
    const file = createNewFile(directory, HIDDEN)
    const publish = (replaces: boolean): void =>
      file.publish({ directory, name: 'file', replaces, mode: 0o640 })
    expect(() => publish(false)).toThrow(expect.objectContaining({ errno: 'EEXIST' }))
    expect(fs.readFileSync(`${path}/file`, 'utf8')).toBe('theirs')
    publish(true)
    expect(fs.statSync(`${path}/file`).mode & 0o777).toBe(0o640)
  })
})

test('what somebody put in its place is neither published nor removed', () => {
  withScratch((directory, path) => {
    const file = createNewFile(directory, HIDDEN)
    fs.rmSync(`${path}/${HIDDEN}`)
    fs.writeFileSync(`${path}/${HIDDEN}`, 'theirs')
    expect(() => file.publish({ directory, name: 'file', replaces: true })).toThrow(
      /moved or removed/
    )
    file.discard()
    expect(fs.readdirSync(path)).toEqual([HIDDEN])
    expect(fs.readFileSync(`${path}/${HIDDEN}`, 'utf8')).toBe('theirs')
  })
})

test('a private directory whose name was taken by another is emptied by nobody', () => {
  withScratch((directory, path) => {
    const made = makePrivateDirectory(directory, () => HIDDEN, 0o700)
    fs.renameSync(`${path}/${HIDDEN}`, `${path}/moved`)
    fs.mkdirSync(`${path}/${HIDDEN}`)
    fs.writeFileSync(`${path}/${HIDDEN}/theirs`, '')
    fs.writeFileSync(`${made.path}/ours`, '')
    expect(fs.readdirSync(`${path}/moved`)).toEqual(['ours'])
    made.remove()
    expect(fs.readdirSync(`${path}/${HIDDEN}`)).toEqual(['theirs'])
  })
})
