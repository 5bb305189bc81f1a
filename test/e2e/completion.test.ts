/** Completion in the shells themselves: what is typed, with a tab at its end, and what stands there then. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allNodes, commandTree } from '../../src/cli/command-tree.ts'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { spellings } from '../../src/cli/completion/values.ts'
import { GLOBAL_FLAGS } from '../../src/cli/terminal.ts'
import { InteractiveShells } from '../support/interactive-shells.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'

let work = ''
let shells: InteractiveShells
beforeAll(() => {
  work = makeTemporary()
  shells = new InteractiveShells(work)
  for (const layout of ['images', 'my images']) ociUnpackOk('init', '--layout', `${work}/${layout}`)
  for (const image of ['images:v1.0', 'images:v1.1', 'images:edge', 'my images:only'])
    ociUnpackOk('new', '--image', `${work}/${image}`)
  ociUnpackOk('copy', `${work}/images:edge`, `oci-archive:${work}/saved.tar:old`)
  for (const folder of ['plain/dir', 'two words'])
    mkdirSync(`${work}/${folder}`, { recursive: true })
  writeFileSync(`${work}/a file.toml`, '')
})
afterAll(() => removeTemporary(work))

/** What is typed, and what all shells make of it. */
const LINES: readonly [typed: string, completed: string][] = [
  ['oci-unpack un', 'oci-unpack unpack '],
  ['oci-unpack raw run', 'oci-unpack raw runtime-config '],
  [
    'oci-unpack --log=info --color never hooks t',
    'oci-unpack --log=info --color never hooks test '
  ],
  ['oci-unpack help hoo', 'oci-unpack help hooks '],
  ['oci-unpack nope ', 'oci-unpack nope '],
  ['oci-unpack unpack --keep', 'oci-unpack unpack --keep-dirlinks '],
  ['oci-unpack unpack --jobs ', 'oci-unpack unpack --jobs '],
  ['oci-unpack --log de', 'oci-unpack --log debug '],
  ['oci-unpack --log=de', 'oci-unpack --log=debug '],
  ['oci-unpack config --clear config.l', 'oci-unpack config --clear config.labels '],
  ['oci-unpack unpack --decompressor ig', 'oci-unpack unpack --decompressor igzip '],
  ['oci-unpack unpack --hooks a', 'oci-unpack unpack --hooks a\\ file.toml '],
  ['oci-unpack unpack --hooks=a', 'oci-unpack unpack --hooks=a\\ file.toml '],
  ['oci-unpack raw mtree-validate -f a', 'oci-unpack raw mtree-validate -f a\\ file.toml '],
  ['oci-unpack raw mtree-validate --path pl', 'oci-unpack raw mtree-validate --path plain/'],
  ['oci-unpack diff tw', 'oci-unpack diff two\\ words/'],
  [
    'oci-unpack unpack --image my\\ images:only tw',
    'oci-unpack unpack --image my\\ images:only two\\ words/'
  ],
  ['oci-unpack unpack --image ima', 'oci-unpack unpack --image images:'],
  ['oci-unpack unpack --image pla', 'oci-unpack unpack --image plain/'],
  ['oci-unpack unpack --image images:ed', 'oci-unpack unpack --image images:edge '],
  ['oci-unpack unpack --image=images:ed', 'oci-unpack unpack --image=images:edge '],
  ['oci-unpack unpack --image ~/images:ed', 'oci-unpack unpack --image ~/images:edge '],
  ['oci-unpack unpack --image oci:images:ed', 'oci-unpack unpack --image oci:images:edge '],
  ['oci-unpack unpack --image my\\ images:', 'oci-unpack unpack --image my\\ images:only '],
  ['oci-unpack unpack --image "my images:', 'oci-unpack unpack --image "my images:only" '],
  ['oci-unpack copy docker-arch', 'oci-unpack copy docker-archive:'],
  ['oci-unpack stat --image oci-archive:sa', 'oci-unpack stat --image oci-archive:saved.tar '],
  [
    'oci-unpack stat --image oci-archive:saved.tar:',
    'oci-unpack stat --image oci-archive:saved.tar:old '
  ],
  ['oci-unpack new --image docker-arch', 'oci-unpack new --image docker-arch'],
  ['.bin/oci-unpack rm --image images:ed', '.bin/oci-unpack rm --image images:edge ']
]
const typed = LINES.map(([line]) => `${line}\t`)

const nodes = allNodes(commandTree(COMMANDS, GLOBAL_FLAGS))
const flagsOf = nodes.map(({ path, flags }) => ({
  line: ['oci-unpack', ...path, '-'].join(' '),
  flags: flags.flatMap(spellings).sort()
}))

describe.runIf(needs('bash', 'python3'))('bash', () => {
  test('completes what is typed', () => {
    const edited = shells.bash(typed)
    expect(LINES.map(([line], index) => [line, edited[index]])).toEqual(LINES)
  })

  test('offers all flags of each command', () => {
    const answers = bashReplies(flagsOf.map(({ line }) => line))
    expect(answers.map((words) => words.sort())).toEqual(flagsOf.map(({ flags }) => flags))
  })

  test('offers all tags, without what readline leaves in the line', () => {
    const [tags] = bashReplies(['oci-unpack unpack --image images : '])
    expect(tags).toEqual([])
    expect(bashReplies(['oci-unpack unpack --image images:'])).toEqual([['v1.0', 'v1.1', 'edge']])
  })

  /** COMPREPLY as the function makes it, for lines without quotes. */
  function bashReplies(lines: readonly string[]): string[][] {
    const calls = lines.flatMap((line) => {
      const words = line.split(/\s+|(?<=:)|(?=:)/)
      const last = words.at(-1)!
      return [
        `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${words.map((it) => `'${it}'`).join(' ')})`,
        `COMP_CWORD=${words.length - 1}; _oci_unpack oci-unpack '${last === ':' ? '' : last}' ''`,
        'echo "${COMPREPLY[@]}"'
      ]
    })
    const file = new URL('../../contrib/completion/oci-unpack.bash', import.meta.url).pathname
    const script = [`source ${file}`, 'compopt() { :; }', ...calls].join('\n')
    return shells
      .run('bash', '-c', script)
      .split('\n')
      .slice(0, -1)
      .map((row) => row.split(' ').filter((word) => word !== ''))
  }
})

describe.runIf(needs('zsh', 'python3'))('zsh', () => {
  test('completes what is typed', () => {
    const edited = shells.zsh(typed)
    expect(LINES.map(([line], index) => [line, edited[index]])).toEqual(LINES)
  })

  test('knows all flags of each command', () => {
    const lines = flagsOf.flatMap(({ line, flags }) =>
      flags
        .filter((flag) => flags.every((it) => it === flag || !it.startsWith(flag.slice(0, -1))))
        .map((flag) => line.replace(/-$/, flag))
    )
    expect(lines.length).toBeGreaterThan(200)
    const edited = shells.zsh(lines.map((line) => `${line.slice(0, -1)}\t`))
    expect(edited.map((line) => line.replace(/[ =]$/, ''))).toEqual(lines)
  })
})

describe.runIf(needs('fish'))('fish', () => {
  test('completes what is typed', () => {
    const offered = shells.fish(LINES.map(([line]) => line))
    const ends = LINES.map(([line, completed]) => lastWord(completed, line))
    expect(offered).toEqual(ends.map((end) => (end === undefined ? [] : [end])))
  })

  test('offers all flags of each command', () => {
    const offered = shells.fish(flagsOf.map(({ line }) => line))
    expect(offered.map((words) => words.sort())).toEqual(flagsOf.map(({ flags }) => flags))
  })

  /** fish offers words as they are, without quotes; nothing where nothing is completed. */
  function lastWord(completed: string, line: string): string | undefined {
    if (completed === line) return undefined
    const words = completed.trimEnd().match(/(?:"[^"]*"|\\.|\S)+/g)!
    return words.at(-1)!.replaceAll(/["\\]/g, '')
  }
})
