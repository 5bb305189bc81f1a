import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { compareTrees } from './compare-trees.ts'
import { needs } from './requires.ts'
import { withTemporary } from './temporary.ts'

const TREE = `
  mkdir dir dir/sub; echo body >file; ln file hard; ln -s file symlink; mkfifo fifo
  mknod char c 1 3; mknod block b 7 1; setfattr -n user.a -v 1 file
  find . -depth -exec touch -h -d @1000000000.123456789 {} +
`

/** Times of the file and its directory are put back, so that each change shows alone. */
const CHANGES: readonly [name: string, change: string, differences: string[]][] = [
  ['nothing', 'true', []],
  ['a missing entry', 'rm fifo', ['fifo: presence fifo != absent']],
  ['an additional entry', 'mkdir more', ['more: presence absent != directory']],
  ['another mode', 'chmod u+s file', both('mode 0644 != 4644')],
  ['another owner', 'chown -h 5 symlink', ['symlink: uid 0 != 5']],
  ['another group', 'chgrp 6 dir', ['dir: gid 0 != 6']],
  [
    'a nanosecond on a file',
    'touch -d @1000000000.123456788 file',
    both('mtime 1000000000.123456789 != 1000000000.123456788')
  ],
  [
    'a nanosecond on a directory',
    'touch -d @1000000000.123456788 dir/sub',
    ['dir/sub: mtime 1000000000.123456789 != 1000000000.123456788']
  ],
  [
    'a nanosecond on a symlink',
    'touch -h -d @1000000000.123456788 symlink',
    ['symlink: mtime 1000000000.123456789 != 1000000000.123456788']
  ],
  [
    'a time before 1970',
    'touch -d @-1.5 fifo',
    ['fifo: mtime 1000000000.123456789 != -1.500000000']
  ],
  ['another device number', 'rm char; mknod char c 1 5; old char', ['char: device 1:3 != 1:5']],
  [
    'another kind of device',
    'rm block; mknod block c 7 1; old block',
    ['block: type block != char']
  ],
  ['another link target', 'ln -sfn filf symlink; old symlink', ['symlink: target file != filf']],
  [
    'a broken hardlink',
    'cp -a --remove-destination file hard',
    [
      'file: links file, hard != file',
      'file: nlink 2 != 1',
      'hard: links file, hard != hard',
      'hard: nlink 2 != 1'
    ]
  ],
  ['a link from outside the tree', 'ln fifo ../outside', ['fifo: nlink 1 != 2']],
  ['another xattr value', 'setfattr -n user.a -v 2 file', both('xattr.user.a 1 != 2')],
  [
    'an additional xattr on a symlink',
    'setfattr -h -n trusted.b -v "" symlink',
    ['symlink: xattr.trusted.b absent != ']
  ],
  ['a missing xattr', 'setfattr -x user.a file', both('xattr.user.a 1 != absent')],
  [
    'other content of the same size',
    'echo bodx >file; old file',
    both('content byte 3: 790a != 780a')
  ],
  [
    'a name that is not UTF-8',
    `touch "$(printf 'x\\377\\ny')"`,
    ['x\\xff\\x0ay: presence absent != file']
  ]
]

function both(difference: string): string[] {
  return [`file: ${difference}`, `hard: ${difference}`]
}

describe.runIf(needs('root', 'python3', 'setfattr'))('compare-trees sees', () => {
  test.each(CHANGES)('%s', (_name, change, differences) => {
    withTemporary((directory) => {
      const [a, b] = ['a', 'b'].map((name) => `${directory}/${name}`) as [string, string]
      for (const tree of [a, b]) shell(`mkdir ${tree}; cd ${tree}; ${TREE}`)
      shell(`cd ${b}; old() { touch -h -d @1000000000.123456789 "$@"; }; ${change}; old .`)
      expect(compareTrees(a, b)).toEqual(differences)
    })
  })

  test('nothing that it is told to ignore, and everything else', () => {
    withTemporary((directory) => {
      shell(
        `cd ${directory}; mkdir -p a/x b/x; chmod 700 b/x; chown 5 b/x; touch -d @1 a a/x b b/x`
      )
      const compare = (...ignore: string[]): string[] =>
        compareTrees(`${directory}/a`, `${directory}/b`, ignore)
      expect(compare('x:mode')).toEqual(['x: uid 0 != 5'])
      expect(compare('?:mode,uid')).toEqual([])
      expect(compare('*:*')).toEqual([])
      expect(compare('y:*')).toHaveLength(2)
    })
  })
})

function shell(script: string): void {
  execFileSync('sh', ['-euc', `umask 022; ${script}`], { stdio: ['ignore', 'ignore', 'inherit'] })
}
