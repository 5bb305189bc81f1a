import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { TarEntry } from '../../src/tar/entry.ts'
import { archive, member } from '../support/archive.ts'

/** The layer of umoci's regression recipe "archive/tar regressions". */
const MTIME = { sec: Date.parse('1997-03-25T13:40:00+01:00') / 1000, nsec: 0 }

function directory(name: string, mode = 0o755): Buffer {
  return recipe({ type: 'directory', name, mode })
}

function recipe(fields: Partial<TarEntry>, body = ''): Buffer {
  return member({ mtime: MTIME, ...fields }, body)
}

test('writes the layer of umoci’s regression recipe byte for byte', () => {
  const layer = archive(
    directory('.'),
    recipe({ type: 'symlink', name: 'bin', link: '/usr/bin', mode: 0o777 }),
    directory('etc/'),
    recipe({ type: 'symlink', name: 'run', link: '/var/run', mode: 0o777 }),
    directory('usr/'),
    directory('usr/bin/'),
    recipe({ name: 'usr/bin/ash', mode: 0o755 }, '#!/usr/bin/true\n'),
    recipe({ type: 'hardlink', name: 'usr/bin/bash', link: 'usr/bin/ash', mode: 0o755 }),
    recipe({ type: 'hardlink', name: 'usr/bin/sh', link: 'usr/bin/ash', mode: 0o755 }),
    directory('var/', 0),
    directory('var/run/'),
    recipe({ type: 'fifo', name: 'var/run/test.fifo', mode: 0o644 })
  )
  expect(layer).toHaveLength(7680)
  expect(createHash('sha256').update(layer).digest('hex')).toBe(
    'b30a031a2b1c4616735cf8dd5d08ddebcbbff91e1d6b9fc740a2fec18af57b27'
  )
})
