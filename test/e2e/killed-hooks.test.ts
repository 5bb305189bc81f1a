/** The engine is killed while a hook works, and the hook works on: nobody else may take its place meanwhile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const NAMES = Array.from({ length: 20 }, (_, index) => `file-${index}`)

/** Copies one file after the other, and takes a second for each layer and each bundle. */
const PROGRAM = `#!/bin/sh
set -eu
state=$PWD/store/\${OCI_UNPACK_KEY-none}
slowly() { : >"$PWD/$1"; for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; }
case $1 in
  try-skip) [ -d "$state" ] || exit 10; echo "$state" ;;
  pre-extract) mkdir -p store; echo "$OCI_UNPACK_KEY" >>extracted; mktemp -d "$PWD/store/staged.XXXXXX" ;;
  post-extract) slowly committing; mv -T "$OCI_UNPACK_TARGET" "$state"; echo "$state" ;;
  finish)
    mkdir "$OCI_UNPACK_ROOTFS"
    : >"finishing-$(basename "\${OCI_UNPACK_LAYOUT}")"
    while [ -e hold ]; do sleep 0.05; done
    for file in "$OCI_UNPACK_LAYER_TARGETS"/*; do cp "$file" "$OCI_UNPACK_ROOTFS"; sleep 0.05; done ;;
  abort) printf '%s\\n' "$OCI_UNPACK_TARGETS" | while IFS= read -r target; do rm -rf "$target"; done ;;
esac
`

let work: string
let hooks: string
beforeEach(() => {
  work = makeTemporary()
  hooks = `${work}/hooks.toml`
  writeFileSync(`${work}/program`, PROGRAM, { mode: 0o755 })
  const points = ['layer.try-skip', 'layer.pre-extract', 'layer.post-extract', 'finish', 'abort']
  const tables = points.map(
    (point) => `[unpack.ociv1.${point}]\ncommand = ["./program", "${point.replace('layer.', '')}"]`
  )
  const head = `version = 1\nname = "${work.replaceAll('/', '-')}"\nextract = "chain"`
  writeFileSync(hooks, [head, ...tables].join('\n'), { mode: 0o600 })
})
afterEach(() => removeTemporary(work))

/** An image of twenty files that hold its name. */
function imageOf(name: string): string {
  const layers = [tar(...NAMES.map((path) => file(path, name)))]
  return buildImage(`${work}/${name}`, { layers }).reference
}

function commandOf(image: string, bundle: string): string[] {
  return ['unpack', '--hooks', hooks, '--image', image, bundle]
}

/** The engine alone, as soon as a hook has made the file that says so. */
async function killedAt(sign: string, ...args: string[]): Promise<void> {
  const child = spawn(ociUnpackCommand[0], [ociUnpackCommand[1], ...args], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  while (!existsSync(`${work}/${sign}`)) {
    expect(child.exitCode).toBe(null)
    await setTimeout(5)
  }
  child.kill('SIGKILL')
  await ended
}

describe.runIf(needs('root'))('after the engine was killed, and while its hook works on,', () => {
  test('another unpack waits for the layer that is being committed', async () => {
    const image = imageOf('image')
    await killedAt('committing', ...commandOf(image, `${work}/one`))
    ociUnpackOk(...commandOf(image, `${work}/two`))
    expect(readFileSync(`${work}/extracted`, 'utf8').trim().split('\n')).toHaveLength(1)
    expect(readdirSync(`${work}/two/rootfs`).sort()).toEqual([...NAMES].sort())
  })

  test('its place is busy, and no tree is a mixture of two images', async () => {
    const [first, second] = [imageOf('first'), imageOf('second')]
    const bundle = `${work}/bundle`
    ociUnpackOk(...commandOf(second, `${work}/warm`))
    writeFileSync(`${work}/hold`, '')
    await killedAt('finishing-first', ...commandOf(first, bundle))
    let tries = 0
    for (; ; tries++) {
      const { status, stderr } = ociUnpack(...commandOf(second, bundle))
      if (status === 0) break
      expect(stderr).toContain('BUNDLE_EXISTS')
      expect(stderr).toContain('Another process is working on a bundle there.')
      rmSync(`${work}/hold`, { force: true })
    }
    expect(tries).toBeGreaterThan(0)
    await setTimeout(1_500)
    expect(readdirSync(`${bundle}/rootfs`).sort()).toEqual([...NAMES].sort())
    for (const name of NAMES)
      expect(readFileSync(`${bundle}/rootfs/${name}`, 'utf8')).toBe('second')
  })
})
