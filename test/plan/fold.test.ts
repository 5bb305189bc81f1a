import { describe, expect, test } from 'vitest'
import { merge } from './notation.ts'

type Case = [name: string, layers: string[][], tree: string[]]

/** umoci-compatible reading of image-spec layer.md, one rule a line. */
const ENTRIES: Case[] = [
  ['an image without layers is an empty root', [], ['/ ?']],
  ['a root entry describes the root', [['./', 'a']], ['/ 1', 'a: 1']],
  ['an empty name of a directory is the root', [[''], ['/']], ['/ 2']],
  [
    'names that climb end in the root',
    [['../a', '/../b', 'c/../../d']],
    ['/ ?', 'a: 1', 'b: 1', 'd: 1']
  ],
  ['a file replaces a file', [['a'], ['a']], ['/ ?', 'a: 2']],
  ['a second entry of one layer replaces the first', [['a: x', 'a: y']], ['/ ?', 'a: y']],
  [
    'a directory over a directory changes only its metadata',
    [['d/', 'd/a'], ['d/']],
    ['/ ?', 'd/ 2', 'd/a: 1']
  ],
  ['a directory replaces a file', [['a'], ['a/', 'a/b']], ['/ ?', 'a/ 2', 'a/b: 2']],
  ['a file replaces a directory and all in it', [['d/', 'd/a'], ['d']], ['/ ?', 'd: 2']],
  ['a link replaces a directory and all in it', [['d/', 'd/a'], ['d -> x']], ['/ ?', 'd -> x']],
  [
    'a FIFO replaces a link, not what it leads to',
    [['a', 'l -> a'], ['l|']],
    ['/ ?', 'a: 1', 'l|']
  ],
  ['a symbolic link keeps its target verbatim', [['l -> .//../x/']], ['/ ?', 'l -> .//../x/']],
  ['a file as root is refused', [['.: x']], ['ENTRY_INVALID: file']],
  ['a link as root is refused', [['/ -> etc']], ['ENTRY_INVALID: symlink']],
  ['a hard link as root is refused', [['a', './ == a']], ['ENTRY_INVALID: hardlink']]
]

const PARENTS: Case[] = [
  ['missing parents are made', [['a/b/c']], ['/ ?', 'a/ ?', 'a/b/ ?', 'a/b/c: 1']],
  [
    'missing parents of a link are made',
    [['f', 'a/l == f']],
    ['/ ?', 'a/ ?', 'a/l: 1', 'f == a/l']
  ],
  ['a later entry describes a parent that was made', [['a/b'], ['a/']], ['/ ?', 'a/ 2', 'a/b: 1']],
  [
    'a parent that is a file becomes a directory',
    [['a'], ['a/b/c']],
    ['/ ?', 'a/ ?', 'a/b/ ?', 'a/b/c: 2']
  ],
  ['a parent that is a FIFO becomes a directory', [['a|', 'a/b']], ['/ ?', 'a/ ?', 'a/b: 1']],
  [
    'a parent that is a link is followed',
    [['d/', 'l -> d', 'l/a']],
    ['/ ?', 'd/ 1', 'd/a: 1', 'l -> d']
  ],
  [
    'a parent that leads elsewhere meanwhile is resolved again',
    [['d/', 'e/', 'l -> d', 'l/a', 'l -> e', 'l/b']],
    ['/ ?', 'd/ 1', 'd/a: 1', 'e/ 1', 'e/b: 1', 'l -> e']
  ],
  [
    'a parent that leads through what is added to it is resolved again',
    [['k/', 'z/q/', 'l -> k/m/..', 'l/m -> /z/q', 'l/y']],
    ['/ ?', 'k/ 1', 'k/m -> /z/q', 'l -> k/m/..', 'z/ ?', 'z/q/ 1', 'z/y: 1']
  ],
  [
    'a parent that was replaced meanwhile is made again',
    [['a/b/c', 'a', 'a/b/d']],
    ['/ ?', 'a/ ?', 'a/b/ ?', 'a/b/d: 1']
  ],
  [
    'a parent that was removed meanwhile is made again',
    [['a/b/c'], ['a/b/c', 'x/.wh.y'], ['.wh.a', 'a/b/d']],
    ['/ ?', 'a/ ?', 'a/b/ ?', 'a/b/d: 3']
  ],
  [
    'a link of a lower layer is followed',
    [['d/', 'l -> d'], ['l/a']],
    ['/ ?', 'd/ 1', 'd/a: 2', 'l -> d']
  ],
  ['a link to the root stays inside', [['l -> /', 'l/a']], ['/ ?', 'a: 1', 'l -> /']],
  [
    'a link that climbs stays inside',
    [['d/l -> ../../../..', 'd/l/a']],
    ['/ ?', 'a: 1', 'd/ ?', 'd/l -> ../../../..']
  ],
  [
    'a messy link stays inside',
    [['l -> /./..//./../', 'l/a']],
    ['/ ?', 'a: 1', 'l -> /./..//./../']
  ],
  [
    'an absolute link starts at the root again',
    [['d/', 'e/', 'd/l -> /e', 'd/l/a']],
    ['/ ?', 'd/ 1', 'd/l -> /e', 'e/ 1', 'e/a: 1']
  ],
  [
    'links lead through links',
    [['d/e/', 'a -> d', 'b -> a/e', 'b/f']],
    ['/ ?', 'a -> d', 'b -> a/e', 'd/ ?', 'd/e/ 1', 'd/e/f: 1']
  ],
  [
    'the target of a dangling link becomes a directory',
    [['l -> x/y', 'l/a']],
    ['/ ?', 'l -> x/y', 'x/ ?', 'x/y/ ?', 'x/y/a: 1']
  ],
  [
    'a link to a file makes that a directory',
    [['f', 'l -> f', 'l/a']],
    ['/ ?', 'f/ ?', 'f/a: 1', 'l -> f']
  ],
  [
    '.. behind what is missing leads back',
    [['l -> no/../d', 'd/', 'l/a']],
    ['/ ?', 'd/ 1', 'd/a: 1', 'l -> no/../d']
  ],
  [
    'links that lead round are refused',
    [['a -> b', 'b -> a', 'a/x']],
    ['ENTRY_INVALID: more than 255 links']
  ],
  [
    'a link moved between layers leads elsewhere',
    [
      ['d/', 'e/', 'l -> d'],
      ['l -> e', 'l/a']
    ],
    ['/ ?', 'd/ 1', 'e/ 1', 'e/a: 2', 'l -> e']
  ]
]

const HARD_LINKS: Case[] = [
  ['names share the file', [['a', 'b == a']], ['/ ?', 'a: 1', 'b == a']],
  ['a target may lie in a lower layer', [['a'], ['b == a']], ['/ ?', 'a: 1', 'b == a']],
  [
    'a target may be absolute or climb',
    [['a', 'b == /a', 'c == ../../a']],
    ['/ ?', 'a: 1', 'b == a', 'c == a']
  ],
  [
    'a target that is a link is linked itself',
    [['a', 'l -> a', 'm == l']],
    ['/ ?', 'a: 1', 'l -> a', 'm == l']
  ],
  [
    "a target's parents are followed",
    [['d/a', 'l -> d', 'b == l/a']],
    ['/ ?', 'b: 1', 'd/ ?', 'd/a == b', 'l -> d']
  ],
  ['replacing one name leaves the others', [['a', 'b == a'], ['a']], ['/ ?', 'a: 2', 'b: 1']],
  ['removing the first name leaves the others', [['a', 'b == a'], ['.wh.a']], ['/ ?', 'b: 1']],
  ['a link replaces a file', [['a', 'b'], ['b == a']], ['/ ?', 'a: 1', 'b == a']],
  [
    'a link replaces a directory that does not hold its target',
    [['a', 'd/x'], ['d == a']],
    ['/ ?', 'a: 1', 'd == a']
  ],
  ['a FIFO has several names too', [['p|', 'q == p']], ['/ ?', 'p|', 'q == p']],
  ['a target must come before', [['b == a', 'a']], ['ENTRY_INVALID: its target does not exist']],
  [
    'a target that was removed is none',
    [['a'], ['.wh.a', 'b == a']],
    ['ENTRY_INVALID: its target does not exist']
  ],
  ['a directory has one name', [['d/', 'b == d']], ['ENTRY_INVALID: its target is a directory']],
  ['the root has one name', [['b == /']], ['ENTRY_INVALID: its target is a directory']],
  [
    'a link to itself leaves its target as it was',
    [
      ['d/a', 'b', 'l -> d'],
      ['d/a == d/a', 'd/a == l/a', 'l/a == /d/a', 'b == ./b']
    ],
    ['/ ?', 'b: 1', 'd/ ?', 'd/a: 1', 'l -> d']
  ],
  [
    'a link to itself adds nothing that a whiteout of its layer would spare',
    [['a'], ['a == a', '.wh.a']],
    ['/ ?']
  ],
  ['a link to itself needs a target', [['a == a']], ['ENTRY_INVALID: its target does not exist']],
  [
    'a directory that is linked to itself has removed its target',
    [['d/', 'd == d']],
    ['ENTRY_INVALID: its target does not exist']
  ],
  [
    'a link inside what it replaces has no target',
    [['d/a'], ['d == d/a']],
    ['ENTRY_INVALID: its target does not exist']
  ]
]

const WHITEOUTS: Case[] = [
  ['a file is removed', [['a', 'b'], ['.wh.a']], ['/ ?', 'b: 1']],
  ['a file whose name begins with a dot is removed', [['.a'], ['.wh..a']], ['/ ?']],
  ['a directory is removed with all in it', [['d/', 'd/a', 'd/e/b'], ['.wh.d']], ['/ ?']],
  ['a link is removed, not what it leads to', [['a', 'l -> a'], ['.wh.l']], ['/ ?', 'a: 1']],
  ['the victim lies behind a link', [['d/a', 'l -> d'], ['l/.wh.a']], ['/ ?', 'd/ ?', 'l -> d']],
  ['its directory keeps its metadata', [['d/', 'd/a'], ['d/.wh.a']], ['/ ?', 'd/ 1']],
  [
    'a path that never was does no harm',
    [['a'], ['.wh.x', 'no/.wh.y', 'a/.wh.z']],
    ['/ ?', 'a: 1']
  ],
  ['no parents are made for it', [['no/where/.wh.a']], ['/ ?']],
  ['what its own layer added before stays', [['a'], ['a', '.wh.a']], ['/ ?', 'a: 2']],
  ['what its own layer adds after stays', [['a'], ['.wh.a', 'a']], ['/ ?', 'a: 2']],
  [
    'of a directory, what its own layer added stays',
    [
      ['d/', 'd/a', 'd/b'],
      ['d/c', '.wh.d']
    ],
    ['/ ?', 'd/ 1', 'd/c: 2']
  ],
  [
    'a directory that its own layer added again loses the old content',
    [
      ['d/', 'd/a'],
      ['d/', '.wh.d']
    ],
    ['/ ?', 'd/ 2']
  ],
  [
    'what was added behind a link stays',
    [
      ['d/a', 'd/b', 'l -> d'],
      ['l/a', 'd/.wh.a', 'd/.wh.b']
    ],
    ['/ ?', 'd/ ?', 'd/a: 2', 'l -> d']
  ],
  [
    'a hard link of its own layer stays',
    [
      ['a', 'b'],
      ['b == a', '.wh.b']
    ],
    ['/ ?', 'a: 1', 'b == a']
  ],
  ['it protects nothing from the next layer', [['a'], ['a', '.wh.a'], ['.wh.a']], ['/ ?']],
  [
    'its type and content mean nothing',
    [
      ['a', 'b', 'c'],
      ['.wh.a/', '.wh.b -> x', '.wh.c: y']
    ],
    ['/ ?']
  ],
  ['.wh. alone is refused', [['.wh.']], ['ENTRY_INVALID: it would remove ""']],
  ['.wh.. is refused', [['d/.wh..']], ['ENTRY_INVALID: it would remove "."']],
  ['.wh... is refused', [['d/.wh...']], ['ENTRY_INVALID: it would remove ".."']],
  [
    'aufs leftovers are ordinary whiteouts',
    [['x'], ['.wh..wh.plnk/', '.wh..wh.aufs']],
    ['/ ?', 'x: 1']
  ],
  [
    'a file below an aufs directory is a file',
    [['.wh..wh.plnk/a']],
    ['/ ?', '.wh..wh.plnk/ ?', '.wh..wh.plnk/a: 1']
  ],
  [
    'a name that only begins like the opaque one is a whiteout',
    [['.wh..opqX', 'a'], ['.wh..wh..opqX']],
    ['/ ?', 'a: 1']
  ]
]

const OPAQUE: Case[] = [
  [
    'everything of lower layers goes',
    [['d/', 'd/a', 'd/e/b'], ['d/.wh..wh..opq']],
    ['/ ?', 'd/ 1']
  ],
  [
    'what its own layer added before stays',
    [
      ['d/a', 'd/b'],
      ['d/b', 'd/c', 'd/.wh..wh..opq']
    ],
    ['/ ?', 'd/ ?', 'd/b: 2', 'd/c: 2']
  ],
  [
    'what its own layer adds after stays',
    [['d/a'], ['d/.wh..wh..opq', 'd/b']],
    ['/ ?', 'd/ ?', 'd/b: 2']
  ],
  [
    'deep down only what its own layer added stays',
    [
      ['d/e/a', 'd/e/b', 'd/f/c'],
      ['d/e/x', 'd/.wh..wh..opq']
    ],
    ['/ ?', 'd/ ?', 'd/e/ ?', 'd/e/x: 2']
  ],
  [
    'a directory of its own layer stays, without the old content',
    [
      ['d/e/', 'd/e/a'],
      ['d/e/', 'd/.wh..wh..opq']
    ],
    ['/ ?', 'd/ ?', 'd/e/ 2']
  ],
  [
    'in the root all of the root goes',
    [
      ['a', 'd/b'],
      ['c', '.wh..wh..opq']
    ],
    ['/ ?', 'c: 2']
  ],
  [
    'behind a link the target is emptied',
    [['d/a', 'l -> d'], ['l/.wh..wh..opq']],
    ['/ ?', 'd/ ?', 'l -> d']
  ],
  ['in a file it means nothing', [['a'], ['a/.wh..wh..opq']], ['/ ?', 'a: 1']],
  ['in nothing it means nothing', [['a'], ['d/.wh..wh..opq']], ['/ ?', 'a: 1']],
  ['behind a dangling link it means nothing', [['l -> x'], ['l/.wh..wh..opq']], ['/ ?', 'l -> x']],
  [
    'a directory that replaced a file is kept',
    [['d'], ['d/', 'd/a', 'd/.wh..wh..opq']],
    ['/ ?', 'd/ 2', 'd/a: 2']
  ],
  [
    'links and FIFOs of lower layers go, whatever they lead to',
    [['x', 'd/l -> /x', 'd/m -> no', 'd/p|'], ['d/.wh..wh..opq']],
    ['/ ?', 'd/ ?', 'x: 1']
  ],
  [
    'a whiteout of its own layer takes nothing of it',
    [['d/a'], ['d/b', 'd/.wh.b', 'd/.wh..wh..opq']],
    ['/ ?', 'd/ ?', 'd/b: 2']
  ]
]

const DIRLINKS: Case[] = [
  [
    'a link to a directory stays, with the metadata of the entry',
    [
      ['d/', 'l -> d'],
      ['l/', 'l/a']
    ],
    ['/ ?', 'd/ 1', 'd/a: 2', 'l -> d (2)']
  ],
  [
    'a link to a link to a directory stays',
    [['d/', 'm -> d', 'l -> m'], ['l/']],
    ['/ ?', 'd/ 1', 'l -> m (2)', 'm -> d']
  ],
  ['a dangling link is replaced', [['l -> no'], ['l/']], ['/ ?', 'l/ 2']],
  ['a link to a file is replaced', [['f', 'l -> f'], ['l/']], ['/ ?', 'f: 1', 'l/ 2']],
  ['a link that leads round is replaced', [['l -> l'], ['l/']], ['/ ?', 'l/ 2']],
  ['a file is replaced', [['l'], ['l/']], ['/ ?', 'l/ 2']],
  [
    'the kept link counts as added by the layer',
    [
      ['d/', 'l -> d'],
      ['l/', '.wh.l']
    ],
    ['/ ?', 'd/ 1', 'l -> d (2)']
  ],
  [
    'a link over a directory replaces it all the same',
    [['d/', 'd/a'], ['d -> x']],
    ['/ ?', 'd -> x']
  ]
]

describe.each([
  ['entries', ENTRIES],
  ['parents', PARENTS],
  ['hard links', HARD_LINKS],
  ['whiteouts', WHITEOUTS],
  ['opaque whiteouts', OPAQUE]
])('%s:', (_name, cases) => {
  test.each(cases)('%s', (_case, layers, tree) => {
    expect(merge(layers)).toEqual(tree)
  })
})

describe('keeping links to directories:', () => {
  test.each(DIRLINKS)('%s', (_case, layers, tree) => {
    expect(merge(layers, true)).toEqual(tree)
  })

  test('without the option a directory replaces the link', () => {
    expect(
      merge([
        ['d/', 'l -> d'],
        ['l/', 'l/a']
      ])
    ).toEqual(['/ ?', 'd/ 1', 'l/ 2', 'l/a: 2'])
  })
})
