import { describe, expect, test } from 'vitest'
import { assemble } from '../../src/plan/assemble.ts'
import type { LayerStack } from '../../src/plan/layer-stack.ts'
import type { Operation } from '../../src/plan/operations.ts'
import { stage } from './notation.ts'

/** The plan of a new root at `rootfs`, a line for each operation; `@` is the layer that describes. */
function plan(...layers: string[][]): string[] {
  return planAt('rootfs', stage(layers))
}

/** The plan of an unpack over what `existing` names, in the root itself. */
function planOver(existing: string[], ...layers: string[][]): string[] {
  return planAt('', stage(layers, ['./', ...existing]))
}

function planAt(target: string, stack: LayerStack): string[] {
  const { root, workspace } = stack
  const trash = stack.makePhysical('layers/trash')
  return assemble({ root, workspace, target, trash }).map(show)
}

describe('one layer', () => {
  test('is renamed as a whole; only metadata of directories is left to do', () => {
    expect(plan(['a/', 'a/b', 'a/c -> b', 'd'])).toEqual([
      'move layers/0/tree → rootfs',
      'describe rootfs/a @0',
      'describe rootfs by nobody'
    ])
  })

  test('without entries is an empty root', () => {
    expect(plan([])).toEqual(['move layers/0/tree → rootfs', 'describe rootfs by nobody'])
  })

  test('has its hard links made where their names are', () => {
    expect(plan(['a', 'd/b == a'])).toEqual([
      'move layers/0/tree → rootfs',
      'make rootfs/d',
      'link rootfs/a → rootfs/d/b',
      'describe rootfs/d by nobody',
      'describe rootfs by nobody'
    ])
  })

  test('has what its literal tree cannot hold taken from the spill directory', () => {
    expect(plan(['a', 'a: second'])).toEqual([
      'move layers/0/tree → rootfs',
      'move rootfs/a → layers/trash/0',
      'move layers/0/spill/1 → rootfs/a',
      'describe rootfs by nobody'
    ])
  })

  test('has entries below a link moved to where it leads', () => {
    expect(plan(['d/', 'l -> d', 'l/a'])).toEqual([
      'move layers/0/tree → rootfs',
      'move layers/0/spill/1 → rootfs/d/a',
      'describe rootfs/d @0',
      'describe rootfs by nobody'
    ])
  })
})

describe('several layers', () => {
  test('without an image there is an empty root', () => {
    expect(plan()).toEqual(['make rootfs', 'describe rootfs by nobody'])
  })

  test('the fullest directory is the base; what others add moves in, as whole subtrees', () => {
    expect(plan(['usr/', 'usr/a', 'usr/b', 'usr/d', 'usr/e'], ['usr/c', 'opt/x/y'])).toEqual([
      'move layers/1/tree → rootfs',
      'move rootfs/usr → layers/trash/0',
      'move layers/0/tree/usr → rootfs/usr',
      'move layers/trash/0/c → rootfs/usr/c',
      'describe rootfs/usr @0',
      'describe rootfs/opt/x by nobody',
      'describe rootfs/opt by nobody',
      'describe rootfs by nobody'
    ])
  })

  test('a directory that is in place stays for the sake of one move', () => {
    expect(plan(['d/a', 'd/b'], ['d/c', 'x', 'y'])).toEqual([
      'move layers/1/tree → rootfs',
      'move layers/0/tree/d/a → rootfs/d/a',
      'move layers/0/tree/d/b → rootfs/d/b',
      'describe rootfs/d by nobody',
      'describe rootfs by nobody'
    ])
  })

  test('a replaced file goes to the trash', () => {
    expect(plan(['a', 'b', 'c'], ['b'])).toEqual([
      'move layers/0/tree → rootfs',
      'move rootfs/b → layers/trash/0',
      'move layers/1/tree/b → rootfs/b',
      'describe rootfs by nobody'
    ])
  })

  test('a removed subtree goes to the trash in one move', () => {
    expect(plan(['a', 'd/e/f', 'g'], ['.wh.d'])).toEqual([
      'move layers/0/tree → rootfs',
      'move rootfs/d → layers/trash/0',
      'describe rootfs by nobody'
    ])
  })

  test('a hard link into a lower layer is made in the joined tree', () => {
    expect(plan(['a', 'b'], ['c == a'])).toEqual([
      'move layers/0/tree → rootfs',
      'link rootfs/a → rootfs/c',
      'describe rootfs by nobody'
    ])
  })

  test('a file whose own name was removed lives on under the name of its link', () => {
    expect(plan(['a', 'x', 'y'], ['b == a', '.wh.a'])).toEqual([
      'move layers/0/tree → rootfs',
      'move rootfs/a → rootfs/b',
      'describe rootfs by nobody'
    ])
  })
})

describe('over what is there', () => {
  test('nothing happens where the image has nothing', () => {
    expect(planOver(['a', 'd/', 'd/b'], [])).toEqual([])
  })

  test('files stay, and a directory that gains one gets its times back', () => {
    expect(planOver(['d/', 'd/a'], ['d/b'])).toEqual([
      'move layers/0/tree/d/b → d/b',
      'restore times of d',
      'restore times of '
    ])
  })

  test('a directory stays in its place, however many names a layer puts into it', () => {
    expect(planOver(['d/'], ['d/a', 'd/b', 'd/c', 'd/e'])).toEqual([
      'move layers/0/tree/d/a → d/a',
      'move layers/0/tree/d/b → d/b',
      'move layers/0/tree/d/c → d/c',
      'move layers/0/tree/d/e → d/e',
      'restore times of d',
      'restore times of '
    ])
  })

  test('one that was replaced by a link in between is made anew', () => {
    expect(planOver(['d/', 'd/old'], ['d -> x'], ['d/', 'd/a'])).toEqual([
      'move d → layers/trash/0',
      'move layers/1/tree/d → d',
      'describe d @1',
      'restore times of '
    ])
  })

  test('a new directory that no layer staged inherits nothing of the one it comes into', () => {
    expect(planOver(['a', 'd/'], ['d/e/f/b == a'])).toEqual([
      'make layers/trash/0',
      'move layers/trash/0 → d/e',
      'make d/e/f',
      'link a → d/e/f/b',
      'describe d/e/f by nobody',
      'describe d/e by nobody',
      'restore times of d',
      'restore times of '
    ])
  })

  test('a whiteout removes, and a replaced file makes room', () => {
    expect(planOver(['a', 'b'], ['.wh.a', 'b'])).toEqual([
      'move b → layers/trash/0',
      'move layers/0/tree/b → b',
      'move a → layers/trash/1',
      'restore times of '
    ])
  })

  test('a directory whose file goes elsewhere under another name gets its times back', () => {
    expect(planOver(['a/', 'd/', 'd/b'], ['a/c == d/b', 'd/.wh.b'])).toEqual([
      'move d/b → a/c',
      'restore times of a',
      'restore times of d',
      'restore times of '
    ])
  })

  test('a described directory gets its metadata, and keeps its files', () => {
    expect(planOver(['d/', 'd/a'], ['d/'])).toEqual(['describe d @0', 'restore times of '])
  })

  test('the directory of the layers, which lies in it, is not taken for a stray', () => {
    expect(planOver([], ['a']).join()).not.toContain('move layers →')
  })
})

function show(operation: Operation): string {
  switch (operation.op) {
    case 'make':
      return `make ${operation.path}`
    case 'move':
    case 'link':
      return `${operation.op} ${operation.from} → ${operation.to}`
    case 'write-directory-metadata':
      return `describe ${operation.path} ${operation.entry === undefined ? 'by nobody' : `@${operation.entry.mtime.sec}`}`
    case 'restore-times':
      return `restore times of ${operation.path}`
    case 'set-mode':
      return `set mode of ${operation.path}`
    case 'rewrite-link-metadata':
      return `describe link ${operation.path}`
    case 'whiteout':
    case 'opaque':
      return `${operation.op} ${operation.path}`
    case 'copy-up':
      return `copy ${operation.layer}:${operation.from} → ${operation.to}`
  }
}
