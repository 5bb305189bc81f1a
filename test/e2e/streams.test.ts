/** Standard output and standard error that are full, closed, or pipes that nobody reads: as Unix tools take them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run, type Run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
let image: string
let bundle: string
beforeAll(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, { layers: [tar(file('x', 'x'))] }).reference
  bundle = `${work}/changed`
  ociUnpackOk('unpack', ...OWN_IDS, '--image', image, bundle)
  writeFileSync(`${bundle}/rootfs/added`, '')
})
afterAll(() => removeTemporary(work))

const OWN_IDS = ['--uid-map', `0:${process.geteuid!()}`, '--gid-map', `0:${process.getegid!()}`]

const PRINTING: readonly [string, () => string[]][] = [
  ['the help', () => ['--help']],
  ['the version', () => ['--version']],
  ['the help of a group', () => ['raw']],
  ['list', () => ['list', '--layout', `${work}/layout`]],
  ['stat', () => ['stat', '--json', '--image', image]],
  ['verify', () => ['verify', '--image', image]],
  ['diff', () => ['diff', bundle]]
]

describe.each(PRINTING)('standard output: %s', (_name, args) => {
  test('that is full is an error of one line', () => {
    const { status, stderr } = inShell('"$@" > /dev/full', args())
    expect(stderr).toBe(
      'oci-unpack: Writing to standard output failed: no space left on device. [SYSCALL_FAILED]\n'
    )
    expect(status).toBe(1)
  })

  test('that nobody reads ends it as SIGPIPE would, without a word', () => {
    const { status, stderr } = inShell('"$@" | true; exit ${PIPESTATUS[0]}', args())
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' })
  })

  test('that is closed, as all others are, is nothing to speak of', () => {
    expect(inShell('"$@" <&- >&- 2>&-', args()).status).toBe(0)
  })
})

test('standard output that takes only a part is full, too', () => {
  const { stdout } = ociUnpackOk('unpack', '--help')
  const limit = 'ulimit -f 1; "$@" > "$0"'
  const args = [`${work}/part`, ...ociUnpackCommand, 'unpack', '--help']
  const { status, stderr } = run('bash', '-c', limit, ...args)
  expect(stdout.length).toBeGreaterThan(1024)
  expect(stderr).toContain('Writing to standard output failed: file too large.')
  expect(status).toBe(1)
})

test('a slow reader of much gets all of it', () => {
  const layout = `${work}/many`
  buildImage(layout, { layers: [] })
  const { manifests, ...rest } = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as {
    manifests: object[]
  }
  const tags = Array.from({ length: 10_000 }, (_, number) => `a-rather-long-tag-${number}`)
  const named = tags.map((tag) => ({
    ...manifests[0],
    annotations: { 'org.opencontainers.image.ref.name': tag }
  }))
  writeFileSync(`${layout}/index.json`, JSON.stringify({ ...rest, manifests: named }))
  const { stdout } = inShell('"$@" | (sleep 0.3; cat)', ['list', '--layout', layout])
  expect(stdout).toBe(`${tags.join('\n')}\n`)
})

// the kit makes layers with owners
test.runIf(needs('root'))(
  'rows of the conformance kit stop where nobody reads them, and leave nothing',
  () => {
    const directory = `${work}/kit`
    mkdirSync(directory)
    writeFileSync(`${work}/hooks.toml`, 'version = 1\nname = "none"\n', { mode: 0o600 })
    const args = ['hooks', 'test', '--directory', directory, `${work}/hooks.toml`]
    const { status, stderr } = inShell('"$@" | true; exit ${PIPESTATUS[0]}', args)
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' })
    expect(readdirSync(directory)).toEqual([])
  }
)

describe.runIf(needs('root'))('standard error', () => {
  test.each(
    ['2> /dev/full', '2>&-', '<&- >&- 2>&-', '2> >(true)'].flatMap((stream) =>
      ['plain', 'json', 'auto'].map((mode) => [stream, mode] as const)
    )
  )('that cannot be written to (%s) does no harm to an unpack, --progress %s', (stream, mode) => {
    const bundle = `${work}/bundle-${mode}-${stream.replaceAll(/\W/g, '-')}`
    const args = ['unpack', '--verbose', '--progress', mode, '--image', image, bundle]
    expect(inShell(`"$@" ${stream}`, args).status).toBe(0)
    expect(readdirSync(bundle)).toContain('umoci.json')
  })

  test('that is full changes nothing in how an error ends', () => {
    expect(inShell('"$@" 2> /dev/full', ['list', '--layout', `${work}/none`]).status).toBe(1)
  })
})

test.runIf(needs('python3'))('a progress display on a terminal is drawn', () => {
  const bundle = `${work}/tty`
  const program = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`
  const args = ['unpack', ...OWN_IDS, '--image', image, bundle]
  const { status, stdout } = run('python3', '-c', program, ...ociUnpackCommand, ...args)
  expect(stdout).toContain('1 of 1 layers verified')
  expect(stdout).toContain('\x1b[')
  expect(status).toBe(0)
})

/** Runs our command line, which the script has as `"$@"`. */
function inShell(script: string, args: readonly string[]): Run {
  return run('bash', '-c', script, 'bash', ...ociUnpackCommand, ...args)
}
