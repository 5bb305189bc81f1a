import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { unheldFile } from '../../../src/bundle/files.ts'
import { writeUnheldFile } from '../../../src/engine/bundle/unheld-file.ts'
import { withScratch } from '../../support/open-directory.ts'

const UNHELD = { xattrs: [['security.capability', 'c']] } as const

test.each([
  ['known', createHash('sha256').update('ping').digest('binary')],
  ['not known, because the bundle is lazy', undefined]
])('a file with capabilities is written down with its digest: %s', (_name, sha256) => {
  withScratch((rootfs, path) => {
    writeFileSync(`${path}/ping`, 'ping')
    const objects = [{ path: 'ping', unheld: UNHELD, sha256 }]
    writeUnheldFile(path, 'sha256:a', { rootfs, ledger: undefined }, objects)
    const { objects: written } = JSON.parse(
      readFileSync(`${path}/${unheldFile('sha256:a')}`, 'utf8')
    ) as { objects: unknown }
    expect(written).toMatchObject([{ sha256: createHash('sha256').update('ping').digest('hex') }])
  })
})
