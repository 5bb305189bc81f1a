/** Rootless bundles that one program made and the other repacks, as an ordinary user. */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'
import { layerEntries, type LayerEntry } from './layer-entries.ts'
import { buildRareImage } from './rootless-image.ts'

/** What both programs can keep: nothing that only a bundle of ours remembers is touched. */
const EDITS = `
  umask 022; cd "$0"
  set_owner() { setfattr -n user.rootlesscontainers -v "$2" "$1"; }
  chmod 600 owned; echo more >>user; rm group; echo new >new; mkfifo pipe; ln new new-too; chmod 4711 set-uid
  set_owner home/file 0x08011002; set_owner new 0x08ffffffff0f1003; setfattr -x user.rootlesscontainers noted
  setfattr -n user.new -v new home; mkdir -m 2750 wood; set_owner wood 0x08ec0310da01; ln -s new wood/link
  touch -h -d @1600000000 owned user new pipe set-uid noted wood/link
  touch -d @1600000000 home/file home wood .`

type Program = 'umoci' | 'oci-unpack'
const PROGRAMS: Readonly<Record<Program, readonly [string, ...string[]]>> = {
  umoci: ['umoci'],
  'oci-unpack': ociUnpackCommand
}

const PAIRS: readonly [maker: Program, packer: Program][] = [
  ['umoci', 'oci-unpack'],
  ['oci-unpack', 'umoci'],
  ['oci-unpack', 'oci-unpack']
]

describe.runIf(needs(...USER_TOOLS, 'umoci', 'setfattr'))('a rootless bundle', () => {
  let user: OrdinaryUser
  let image = ''
  let work = ''
  let layout = ''
  let bundle = ''
  let byUmoci: LayerEntry[][]

  beforeAll(() => {
    user = makeUser()
    image = `${user.home}/image`
    buildRareImage(image)
    start()
    unpack('umoci')
    edit()
    byUmoci = repacked('umoci')
    removeTemporary(work)
  })
  afterAll(() => removeUser(user))
  beforeEach(() => start())
  afterEach(() => removeTemporary(work))

  test.each(PAIRS)('of %s is unchanged for %s', (maker, packer) => {
    unpack(maker)
    expect(repacked(packer)).toEqual([])
    if (packer === 'oci-unpack') expect(program('oci-unpack', 'diff', bundle)).toBe('')
  })

  test.each(PAIRS)('of %s gives the layer of umoci when it is repacked by %s', (maker, packer) => {
    unpack(maker)
    edit()
    expect(repacked(packer)).toEqual(byUmoci)
  })

  test.each(PAIRS)('of %s can be refreshed by %s, and then by the other again', (maker, packer) => {
    unpack(maker)
    edit()
    expect(repacked(packer, '--refresh-bundle')).toEqual(byUmoci)
    expect(metadata()).toMatchObject({ rootless: true })
    expect(repacked(maker, '--refresh-bundle')).toEqual(byUmoci)
    expect(repacked(packer)).toEqual(byUmoci)
  })

  test('has the metadata that umoci writes, and its runtime configuration', () => {
    const [theirs, ours] = (['umoci', 'oci-unpack'] as const).map((maker) => {
      removeTemporary(bundle)
      unpack(maker)
      const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as RuntimeConfig
      const { namespaces, uidMappings, gidMappings } = config.linux
      return {
        options: metadata(),
        maps: { uidMappings, gidMappings },
        namespaces: namespaces.filter(({ type }) => type !== 'cgroup'),
        destinations: config.mounts.map(({ destination }) => destination),
        files: readdirSync(bundle).filter((name) =>
          /^(sha256_\w+\.mtree|\w+\.json|rootfs)$/.test(name)
        )
      }
    })
    expect(ours).toEqual(theirs)
    expect(ours!.maps.uidMappings).toEqual([{ containerID: 0, hostID: user.uid, size: 1 }])
  })

  function start(): void {
    work = makeTemporary()
    layout = `${work}/layout`
    bundle = `${work}/bundle`
    cpSync(image, layout, { recursive: true })
    ok('chown', '-R', `${user.uid}:${user.gid}`, work)
  }

  function program(name: Program, ...args: string[]): string {
    return expectOk(user.run(...PROGRAMS[name], ...args), `${name} ${args.join(' ')}`).stdout
  }

  function unpack(maker: Program): void {
    program(maker, 'unpack', '--rootless', '--image', `${layout}:latest`, bundle)
  }

  function edit(): void {
    ok(...user.command('sh', '-euc', EDITS, `${bundle}/rootfs`))
  }

  /** The new layers. */
  function repacked(packer: Program, ...flags: string[]): LayerEntry[][] {
    program(packer, 'repack', ...flags, '--image', `${layout}:new`, bundle)
    return layerEntries(layout, 'new', 2)
  }

  function metadata(): unknown {
    const text = readFileSync(`${bundle}/umoci.json`, 'utf8')
    return (JSON.parse(text) as { map_options: unknown }).map_options
  }
})

interface RuntimeConfig {
  linux: { namespaces: { type: string }[]; uidMappings: unknown; gidMappings: unknown }
  mounts: { destination: string }[]
}
