/** Bundles that another user forged, or somebody copied: hooks must not be led to what is not theirs. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let image: string
let hooks: string
/** What a name in the state of a bundle could lead to. */
let precious: string

beforeEach(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, { layers: [tar(file('a', 'a'))] }).reference
  hooks = shippedSet('pool', work)
  precious = `${work}/precious`
  fs.mkdirSync(`${precious}/inside`, { recursive: true })
})
afterEach(() => removeTemporary(work))

describe.runIf(needs('root', 'setfattr'))('a bundle', () => {
  test('whose state another user wrote is not believed, by unpack nor by bundle delete', () => {
    const state = `${work}/forged/.oci-unpack`
    fs.mkdirSync(state, { recursive: true })
    fs.writeFileSync(`${state}/unfinished`, '')
    fs.writeFileSync(`${state}/staged`, `${work}/store/staged/../../precious\n`)
    ok('chown', '-R', '12345:12345', `${work}/forged`)
    for (const command of [
      ['unpack', '--hooks', hooks, '--image', image],
      ['bundle', 'delete', '--hooks', hooks]
    ]) {
      const { status, stderr } = ociUnpack(...command, `${work}/forged`)
      expect(status).toBe(1)
      expect(stderr).toContain('BUNDLE_INVALID')
      expect(stderr).toContain('another user could have written it')
      expect(fs.existsSync(`${precious}/inside`)).toBe(true)
    }
  })

  test('whose state names something outside of the store loses nothing outside', () => {
    ociUnpackOk('unpack', '--hooks', hooks, '--image', image, `${work}/first`)
    const [store] = fs.readdirSync(work).filter((name) => fs.existsSync(`${work}/${name}/staged`))
    expect(store).toBeDefined()
    const state = `${work}/unfinished/.oci-unpack`
    fs.mkdirSync(state, { recursive: true, mode: 0o700 })
    fs.writeFileSync(`${state}/unfinished`, '')
    fs.writeFileSync(`${state}/staged`, `${work}/${store!}/staged/../../precious\n`)
    ociUnpackOk('unpack', '--hooks', hooks, '--image', image, `${work}/unfinished`)
    expect(fs.existsSync(`${precious}/inside`)).toBe(true)
  })

  test('that was copied is not deleted in place of the original', () => {
    ociUnpackOk('unpack', '--hooks', hooks, '--image', image, `${work}/original`)
    ok('cp', '-a', `${work}/original`, `${work}/copy`)
    const { status, stderr } = ociUnpack('bundle', 'delete', '--hooks', hooks, `${work}/copy`)
    expect(status).toBe(1)
    expect(stderr).toContain('The bundle is a copy of one that hooks made.')
    fs.renameSync(`${work}/original`, `${work}/moved`)
    ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${work}/moved`)
    expect(fs.existsSync(`${work}/moved`)).toBe(false)
  })
})

describe.runIf(needs('root', 'unshare'))('a full disk', () => {
  test('can be emptied by bundle delete', () => {
    fs.mkdirSync(`${work}/small`)
    const script = [
      `mount -t tmpfs -o size=256k tmpfs ${work}/small`,
      '"$1" "$2" unpack --image "$3" "$4"',
      `dd if=/dev/zero of=${work}/small/full bs=4k 2>/dev/null || true`,
      '"$1" "$2" bundle delete "$4"',
      `ls -A ${work}/small`
    ].join('\n')
    const [node, main] = [process.execPath, new URL('../../dist/main.js', import.meta.url).pathname]
    const bundle = `${work}/small/bundle`
    const command = ['sh', '-euc', script, 'sh', node, main, image, bundle]
    expect(ok('unshare', '--mount', ...command).stdout.trim()).toBe('full')
  })
})
