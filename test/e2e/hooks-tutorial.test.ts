/** Does what the tutorial of docs/hooks.md says, to the letter. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { expectOk, run, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

const text = readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8')
const tutorial = text.slice(text.indexOf('\n## Tutorial'), text.indexOf('\n## Reference'))

type Step = { file: string; body: string } | { command: string; shown: string }

/** A file is a block behind its name in backticks and a colon; a command is a line of a console behind `$ `. */
const steps: Step[] = [
  ...tutorial.matchAll(/(?:`([^`\n]+)`:\n\n)?```(?:toml|sh|console)\n(.*?\n)```/gs)
].flatMap(([, name, block = '']) =>
  name === undefined ? commandsIn(block) : [{ file: name, body: block }]
)

function commandsIn(block: string): Step[] {
  const [, ...commands] = `\n${block}`.split('\n$ ')
  return commands.map((each) => {
    const [command = '', ...shown] = each.trimEnd().split('\n')
    return { command, shown: shown.join('\n') }
  })
}

function titleOf(step: Step): string {
  return 'file' in step ? `write ${step.file}` : step.command
}

describe.skipIf(!needs('root', 'python3'))('the tutorial of hooks.md', () => {
  let place = ''

  beforeAll(() => {
    place = makeTemporary()
    buildImage(join(place, 'image'), { layers: LAYERS })
    mkdirSync(join(place, 'bin'))
    const program = join(place, 'bin/oci-unpack')
    writeFileSync(program, `#!/bin/sh\nexec ${ociUnpackCommand.join(' ')} "$@"\n`)
    chmodSync(program, 0o755)
  })
  afterAll(() => removeTemporary(place))

  const inPlace = (command: string): Run =>
    run('env', '-C', place, ...environmentOf(place), 'sh', '-ec', command)

  test.each(steps.map((step) => [titleOf(step), step] as const))('%s', (_, step) => {
    if ('file' in step) writeFileSync(join(place, step.file), step.body)
    else {
      const { stdout } = expectOk(inPlace(step.command), step.command)
      if (step.shown !== '') expect(stdout.trimEnd()).toBe(step.shown)
    }
  })

  test.each(['one', 'two'])('bundle %s is what an unpack without hooks makes', (bundle) => {
    expect(compareTrees(join(place, bundle, 'rootfs'), join(place, 'three/rootfs'))).toEqual([])
    expect(inPlace(`oci-unpack diff ${bundle}`)).toMatchObject({ status: 0, stdout: '' })
  })

  test('the first unpack made each layer once', () => {
    const calls = readFileSync(join(place, 'cold.jsonl'), 'utf8')
    expect(calls.match(/"hook":"unpack\.ociv1\.layer\.post-extract"/g)).toHaveLength(LAYERS.length)
  })

  test('an unpack that fails leaves neither bundle nor staged directory', () => {
    const [base, top] = LAYERS
    const lie = { tar: top!, diffId: `sha256:${'0'.repeat(64)}` }
    buildImage(join(place, 'damaged'), { layers: [base!, lie] })
    const options = '--hooks plain/hooks.toml --trace failed.jsonl --image damaged'
    const { stderr } = inPlace(`rm -r plain/store; oci-unpack unpack ${options} four`)
    expect(stderr).toContain('DIFF_ID_MISMATCH')
    expect(readFileSync(join(place, 'failed.jsonl'), 'utf8')).toMatch(/"targets":\["\/.*staged/)
    expect(inPlace('ls plain/store').stdout).toMatch(/^[0-9a-f]{64}\n$/)
    expect(existsSync(join(place, 'four'))).toBe(false)
  })
})

/** Neither the hooks nor the cache of whoever runs the tests. */
function environmentOf(place: string): string[] {
  return [
    '-u',
    'OCI_UNPACK_HOOKS',
    `PATH=${join(place, 'bin')}:${process.env.PATH ?? ''}`,
    `XDG_CONFIG_HOME=${join(place, 'config')}`,
    `XDG_CACHE_HOME=${join(place, 'cache')}`
  ]
}

/** Nobody describes the root, which is the engine's to describe then. */
const LAYERS = [
  tar(
    directory('etc/', { mtime: 5 }),
    file('etc/motd', 'old', { mtime: 6, uid: 3 }),
    file('etc/gone'),
    directory('srv/', { mode: 0o1777 }),
    file('srv/data', 'one body, two names'),
    hardlink('srv/link', 'srv/data'),
    symlink('srv/symbolic', 'data')
  ),
  tar(file('etc/motd', 'new', { mode: 0o4755 }), file('etc/.wh.gone'))
]
