import { describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { withTemporary } from '../support/temporary.ts'
import { ok } from '../support/run.ts'
import { ociUnpackOk } from './cli.ts'

const MAPS = ['--uid-map=0:1000:1', '--uid-map=5:7:1', '--gid-map=0:1000:10']

/** Rules of image-spec layer.md, each as small as it can be; umoci says what the tree must be. */
const CASES: readonly [name: string, layers: Buffer[], options?: string[], ignore?: string[]][] = [
  [
    'whiteouts after and before what their own layer adds',
    [
      tar(directory('d/'), file('d/a'), file('d/b')),
      tar(file('d/a', 'new'), file('d/.wh.a'), file('d/.wh.b'), file('d/b', 'new'))
    ]
  ],
  [
    'a whiteout of a directory that its own layer fills',
    [
      tar(directory('d/', { mtime: 5 }), file('d/a'), directory('d/s/'), file('d/s/b')),
      tar(directory('d/s/', { mtime: 6 }), file('d/s/c', '', { mtime: 7 }), file('.wh.d'))
    ],
    [],
    // umoci gives directories that survive a partial deletion the time of the deletion.
    ['d:mtime', 'd/s:mtime']
  ],
  [
    'an opaque directory, marked last',
    [
      tar(directory('d/'), file('d/a'), directory('d/s/'), file('d/s/b')),
      tar(directory('d/', { mtime: 9 }), file('d/new'), file('d/.wh..wh..opq'))
    ]
  ],
  [
    'an opaque root',
    [tar(file('a'), directory('d/'), file('d/b')), tar(file('new'), file('.wh..wh..opq'))]
  ],
  [
    'an opaque marker below a symlink',
    [
      tar(directory('real/'), file('real/a'), symlink('link', 'real')),
      tar(file('link/.wh..wh..opq'), file('link/b'))
    ]
  ],
  [
    'parents that keep their times and modes',
    [
      tar(directory('d/', { mtime: 5, mode: 0o1711, uid: 3 }), file('d/a')),
      tar(file('d/b')),
      tar(file('d/.wh.a'))
    ]
  ],
  [
    'every change of type',
    [
      tar(
        ...['dir', 'dir2', 'dir3'].flatMap((name) => [directory(`${name}/`), file(`${name}/a`)]),
        file('file'),
        symlink('symlink', 'dir'),
        fifo('fifo')
      ),
      tar(
        file('dir', 'file'),
        symlink('dir2', 'dir3'),
        fifo('dir3'),
        directory('file/'),
        file('file/a'),
        directory('symlink/'),
        char('fifo', 1, 3)
      )
    ]
  ],
  [
    'a hardlink to a lower layer, whose first name goes',
    [
      tar(file('a', 'body', { mtime: 1.0, uid: 8 })),
      tar(hardlink('b', 'a'), hardlink('c', '/./x/../b')),
      tar(file('.wh.a'))
    ]
  ],
  [
    'a hardlinked file replaced under one name',
    [tar(file('a', 'old'), hardlink('b', 'a')), tar(file('a', 'new'))]
  ],
  [
    'hardlinks to symlinks, FIFOs and devices',
    [
      tar(symlink('s', 'nowhere'), fifo('p'), char('c', 5, 1)),
      tar(hardlink('s2', 's'), hardlink('p2', 'p'), hardlink('c2', 'c'))
    ]
  ],
  [
    'entries below absolute, climbing and chained symlinks',
    [
      tar(
        directory('t/', { mtime: 4 }),
        symlink('a', '/b'),
        symlink('b', '../../c'),
        symlink('c', 't')
      ),
      tar(file('a/one'), file('b/../two'), hardlink('c/three', 'a/one'))
    ]
  ],
  [
    'a symlink replaced by a directory',
    [tar(directory('t/'), file('t/a'), symlink('l', 't')), tar(directory('l/'), file('l/b'))]
  ],
  [
    'a kept symlink to a directory',
    [tar(directory('t/'), file('t/a'), symlink('l', 't')), tar(directory('l/'), file('l/b'))],
    ['--keep-dirlinks']
  ],
  [
    'two entries of one name',
    [tar(file('a', 'one'), file('a', 'two'), directory('d/'), directory('d/', { mode: 0o700 }))]
  ],
  [
    'mapped owners',
    [tar(directory('./'), file('a', '', { uid: 5, gid: 9, mode: 0o6755 }), symlink('s', 'a'))],
    MAPS
  ],
  [
    'parents that no layer describes',
    [tar(file('a/b/c', 'body', { mtime: 3 }))],
    [],
    // umoci gives them the time of the unpacking.
    ['a:mtime', 'a/b:mtime', '.:mtime']
  ]
]

describe.runIf(needs('root', 'umoci', 'python3'))('unpacks as umoci does', () => {
  test.each(CASES)('%s', (_name, layers, options = [], ignore = []) => {
    withTemporary((work) => {
      const { reference } = buildImage(`${work}/layout`, { layers })
      ok('umoci', 'raw', 'unpack', '--image', reference, ...options, `${work}/umoci`)
      ociUnpackOk('raw', 'unpack', '--image', reference, ...options, `${work}/ours`)
      expect(compareTrees(`${work}/ours`, `${work}/umoci`, ignore)).toEqual([])
    })
  })
})
