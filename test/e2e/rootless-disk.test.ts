/** What `--rootless` puts on a disk, and takes from one, beside Debian's umoci: attributes, stand-ins and modes. */
import { chmodSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'
import { layerEntries } from './layer-entries.ts'
import { buildRareImage } from './rootless-image.ts'

const ATTRIBUTE = 'user.rootlesscontainers'

/** Owners in a layer, and the attribute that stands for them; none for root. */
const OWNERS: readonly [uid: number, gid: number, attribute: string][] = [
  [0, 0, ''],
  [992, 123, '0x08e007107b'],
  [0, 456, '0x08ffffffff0f10c803'],
  [98, 0, '0x086210ffffffff0f'],
  [492, 218, '0x08ec0310da01'],
  [4_294_967_294, 1, '0x08feffffff0f1001']
]

/** Attributes that others may have written, and the owner that each means. */
const READ: readonly [attribute: string, uid: number, gid: number][] = [
  ['0x0807', 7, 0],
  ['0x1008', 0, 8],
  ['0x10080807', 7, 8],
  ['0x08071a0361626310083001', 7, 8],
  ['0x08ffffffff0f10ffffffff0f', 0, 0],
  ['0x08011008080a', 10, 8]
]

/** Not messages, or not such messages. */
const UNREADABLE = ['0x08', '0x08ffffffffffffffffffff01', '0x07', '0x0f01']

describe.runIf(needs(...USER_TOOLS, 'umoci', 'getfattr', 'setfattr', 'python3'))(
  'an ordinary user with --rootless',
  () => {
    let user: OrdinaryUser
    let work = ''
    let layout = ''

    beforeAll(() => {
      user = makeUser()
      work = makeTemporary()
      layout = `${work}/layout`
      buildRareImage(layout)
      const entries = OWNERS.map(([uid, gid]) =>
        file(`${uid}-${gid}`, '', { uid, gid, mode: 0o400 })
      )
      buildImage(`${work}/owners`, { layers: [tar(...entries)], tag: 'owners' })
      ok('chown', '-R', `${user.uid}:${user.gid}`, work)
    })
    afterAll(() => {
      removeUser(user)
      removeTemporary(work)
    })

    const ours = (...args: string[]): Run => user.run(...ociUnpackCommand, ...args)
    const theirs = (...args: string[]): Run => user.run('umoci', ...args)

    test('has owners in attributes', () => {
      const rootfs = `${work}/owners-tree`
      done(ours('raw', 'unpack', '--rootless', '--image', `${work}/owners:owners`, rootfs))
      const found = OWNERS.map(([uid, gid]) => [uid, gid, attributeOf(`${rootfs}/${uid}-${gid}`)])
      expect(found).toEqual(OWNERS)
    })

    test.each([['raw', 'unpack'], ['unpack']])(
      'has the tree that umoci has: %s %s',
      (...command) => {
        const trees = [ours, theirs].map((program, at) => {
          const target = `${work}/${command.join('-')}-${at}`
          done(program(...command, '--rootless', '--image', `${layout}:latest`, target))
          return command[0] === 'raw' ? target : `${target}/rootfs`
        })
        // umoci sets modes first, and then may not set attributes any more
        const lost = [
          'unreadable',
          'closed',
          'closed/file',
          'read-only/new',
          'search-only/below'
        ].map((path) => `${path}:xattr.${ATTRIBUTE}`)
        expect(
          compareTrees(trees[0]!, trees[1]!, [...lost, '*:xattr.security.capability'])
        ).toEqual([])
      }
    )

    test('is told once of each thing that the disk cannot hold', () => {
      const { stderr } = ours(
        'raw',
        'unpack',
        '--rootless',
        `--image=${layout}:latest`,
        `${work}/said`
      )
      const lines = stderr.split('\n').filter((line) => /^warn: /.test(line))
      expect(lines.filter((line) => /device/i.test(line))).toHaveLength(1)
      expect(new Set(lines).size).toBe(lines.length)
    })

    test.each([[], ['--rootless=false']])('is what is suggested without it: %s', (...flags) => {
      const target = `${work}/refused`
      const { status, stderr } = ours('unpack', ...flags, '--image', `${layout}:latest`, target)
      expect(status).toBe(1)
      expect(stderr).toContain('--rootless')
      expect(readdirSync(work)).not.toContain('refused')
    })

    test('inserts what lies on the disk, as root does with real owners', () => {
      const source = `${work}/source`
      ok('mkdir', '-p', `${source}/closed`)
      ok('sh', '-euc', SOURCE, source)
      ok('cp', '-a', source, `${work}/real`)
      ok(
        'sh',
        '-euc',
        'cd "$0"; chown -R 0:0 .; chown 992:123 owned closed/file; chmod 4755 set-uid',
        `${work}/real`
      )
      ok(
        'sh',
        '-euc',
        `cd "$0"; ${OWN}; chown -hR "$1" .; chmod 4755 set-uid`,
        source,
        `${user.uid}:${user.gid}`
      )
      done(
        ours('insert', '--rootless', '--image', `${layout}:latest`, '--tag=ours', source, '/new')
      )
      ok(
        ...ociUnpackCommand,
        'insert',
        '--image',
        `${layout}:latest`,
        '--tag=root',
        `${work}/real`,
        '/new'
      )
      expect(layerEntries(layout, 'ours', 2)).toEqual(layerEntries(layout, 'root', 2))
      done(
        theirs('insert', '--rootless', '--image', `${layout}:latest`, '--tag=umoci', source, '/new')
      )
    })

    test.each(READ)('reads the attribute %s as owner %i:%i', (attribute, uid, gid) => {
      expect(inserted(attribute)).toMatchObject([[{ name: 'x', uid, gid, xattrs: [] }]])
    })

    test.each(UNREADABLE)('refuses the attribute %s, and writes nothing', (attribute) => {
      const { status, stderr } = insertWith(attribute)
      expect(status, stderr).toBe(1)
      expect(stderr).toContain(ATTRIBUTE)
      expect(done(ours('ls', '--layout', layout)).stdout).not.toContain('unreadable')
    })

    test('compares a tree with its tree manifest, and leaves its modes alone', () => {
      const bundle = `${work}/validated`
      done(ours('unpack', '--rootless', '--image', `${layout}:latest`, bundle))
      ok('cp', '-a', `${bundle}/rootfs`, `${work}/before`)
      const manifest = readdirSync(bundle).find((name) => name.endsWith('.mtree'))!
      const args = ['-f', `${bundle}/${manifest}`, '-p', `${bundle}/rootfs`]
      const validate = (): Run => ours('raw', 'mtree-validate', '--rootless', ...args)
      expect(validate()).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(compareTrees(`${bundle}/rootfs`, `${work}/before`)).toEqual([])
      chmodSync(`${bundle}/rootfs/closed`, 0o700)
      expect(validate()).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('closed') as string
      })
    })

    function attributeOf(path: string): string {
      const { stdout } = run('getfattr', '--absolute-names', '-e', 'hex', '-n', ATTRIBUTE, path)
      return /=(0x\S+)/.exec(stdout)?.[1] ?? ''
    }

    function insertWith(attribute: string): Run {
      const source = `${work}/x`
      ok(
        'sh',
        '-euc',
        'rm -f "$0"; : >"$0"; setfattr -n "$1" -v "$2" "$0"',
        source,
        ATTRIBUTE,
        attribute
      )
      ok('chown', `${user.uid}:${user.gid}`, source)
      const tag = UNREADABLE.includes(attribute) ? 'unreadable' : 'readable'
      return ours('insert', '--rootless', `--image=${layout}:latest`, '--tag', tag, source, 'x')
    }

    function inserted(attribute: string): ReturnType<typeof layerEntries> {
      done(insertWith(attribute))
      return layerEntries(layout, 'readable', 2)
    }
  }
)

const SOURCE = `
  cd "$0"; echo owned >owned; mkfifo fifo; echo set-uid >set-uid; ln -s owned link; echo closed >closed/file
  chmod 644 owned; chmod 640 closed/file; chmod 600 fifo; chmod 755 . closed
  find . -exec touch -h -d @1600000000 {} +`

/** The attribute is set before the mode: closed files have it too. */
const OWN = `
  for file in owned closed/file; do setfattr -n ${ATTRIBUTE} -v 0x08e007107b "$file"; done`

function done(result: Run): Run {
  expect(result.status, result.stderr).toBe(0)
  return result
}
