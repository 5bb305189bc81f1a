import { describe, expect, test } from 'vitest'
import { OciUnpackError } from '../../src/errors.ts'
import { assemble } from '../../src/plan/assemble.ts'
import { assertMountsStay } from '../../src/plan/mounts.ts'
import { stage } from './notation.ts'

const TREE = ['./', 'etc/', 'etc/hosts', 'var/', 'var/log/', 'var/data/']
const MOUNTS = ['etc/hosts', 'var/data/']

/** What a plan over the tree is refused for: the entry and the mount. */
function refusal(...layers: string[][]): string | undefined {
  const stack = stage(layers, TREE, MOUNTS)
  const { root, workspace, mounts } = stack
  const trash = stack.makePhysical('layers/trash')
  const operations = assemble({ root, workspace, target: '', trash })
  try {
    assertMountsStay(mounts, operations, '/t')
    return undefined
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error
    expect(error.code).toBe('TARGET_BUSY')
    expect(error.hint).toBeDefined()
    return `${error.facts.entry}: ${error.facts.path}`
  }
}

describe('a plan goes round what is mounted', () => {
  test.each([
    ['names beside it, however many', ['var/a', 'var/b', 'var/c', 'var/d', 'var/e', 'etc/a']],
    ['the metadata of a directory that it is in', ['var/', 'etc/']],
    ['a directory beside it that goes', ['var/.wh.log']],
    ['a name that begins like its own', ['var/database/a', 'etc/hosts.allow']]
  ])('%s', (_, layer) => {
    expect(refusal(layer)).toBeUndefined()
  })

  test('a link to it that is replaced', () => {
    expect(refusal(['l -> var/data'], ['l'])).toBeUndefined()
  })
})

describe('a plan is refused that', () => {
  test.each([
    ['enters it', ['var/data/a'], 'var/data/a: /t/var/data'],
    ['enters it deeply', ['var/data/a/b/c'], 'var/data/a: /t/var/data'],
    ['describes it', ['var/data/'], 'var/data: /t/var/data'],
    ['replaces it by a file', ['var/data'], 'var/data: /t/var/data'],
    ['replaces a directory that it is in', ['var -> x'], 'var: /t/var/data'],
    ['removes it', ['var/.wh.data'], 'var/data: /t/var/data'],
    ['removes a directory that it is in', ['.wh.var'], 'var: /t/var/data'],
    ['removes all that is beside it', ['var/.wh..wh..opq'], 'var/data: /t/var/data'],
    ['removes a name in it', ['var/data/.wh.a'], 'var/data/a: /t/var/data'],
    ['removes a name deep in it', ['var/data/a/.wh.b'], 'var/data/a/b: /t/var/data'],
    ['removes all that is in it', ['var/data/.wh..wh..opq'], 'var/data: /t/var/data'],
    ['replaces a mounted file', ['etc/hosts'], 'etc/hosts: /t/etc/hosts'],
    ['removes a mounted file', ['etc/.wh.hosts'], 'etc/hosts: /t/etc/hosts'],
    ['links to a mounted file', ['a == etc/hosts'], 'etc/hosts: /t/etc/hosts'],
    ['makes a directory of a mounted file', ['etc/hosts/a'], 'etc/hosts: /t/etc/hosts']
  ])('%s', (_, layer, expected) => {
    expect(refusal(layer)).toBe(expected)
  })

  test('gets there through a link', () => {
    expect(refusal(['l -> var/data'], ['l/a'])).toBe('var/data/a: /t/var/data')
  })
})
