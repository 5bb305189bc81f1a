/** Hostile and damaged images in the hands of an ordinary user, whose own directories may be reached by mistake. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { longTests, needs } from '../support/requires.ts'
import { expectOk, ok, run } from '../support/run.ts'
import { char, directory, file, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { ociUnpackCommand } from './cli.ts'
import { expectRefused } from './expect-refused.ts'
import { HOSTILE_CASES } from './hostile-images.ts'
import { unpackInSandbox, type Sandbox, type Unpacker } from './sandbox.ts'

/** Each is the entries of its layers, which are unpacked without an error. */
const TEMPTING: Readonly<Record<string, readonly Entry[][]>> = {
  'a link to a closed directory as a parent': [
    [
      symlink('out', '../../outside/closed'),
      directory('out/below/', { mode: 0 }),
      file('out/below/x')
    ]
  ],
  'a link to a closed directory in place of one': [
    [directory('d/', { mode: 0 }), file('d/file', '', { mode: 0 })],
    [symlink('d', '../../outside/closed')],
    [directory('d/', { mode: 0o777 }), file('d/file', 'replaced', { mode: 0o666 })]
  ],
  'a whiteout behind a link': [
    [symlink('out', '/../../../outside/read-only')],
    [file('out/.wh.file')]
  ],
  'a closed directory that holds links, and is removed by a layer': [
    [
      directory('d/', { mode: 0 }),
      symlink('d/closed', '../../../outside/closed'),
      symlink('d/file', '../../../outside/closed/file')
    ],
    [file('.wh.d')]
  ],
  'an opaque directory behind a link': [
    [symlink('out', '../../outside/read-only')],
    [file('out/.wh..wh..opq')]
  ],
  'a device with a link as its parent': [
    [symlink('out', '../../outside/closed'), char('out/file', 1, 3, { uid: 5 })]
  ]
}

describe.runIf(longTests() && needs(...USER_TOOLS, 'python3'))(
  'an ordinary user with --rootless',
  () => {
    let user: OrdinaryUser
    let unpacker: Unpacker
    beforeAll(() => {
      user = makeUser()
      unpacker = { ...user, flags: ['--rootless'] }
    })
    afterAll(() => removeUser(user))

    test.each(HOSTILE_CASES)('is refused, and has nothing changed, by $name', (hostile) => {
      expectRefused(hostile, unpacker)
    })

    test.each(Object.entries(TEMPTING))('keeps what is outside as it is: %s', (_name, layers) => {
      const { status, stderr, changes } = unpackInSandbox(
        ({ layout }) => buildImage(layout, { layers: layers.map((it) => tar(...it)) }).reference,
        deleteBundle,
        unpacker
      )
      expect({ status, changes }, stderr).toEqual({ status: 0, changes: [] })
    })

    test('keeps it as it is where links were put into the bundle later', () => {
      const layers = [
        tar(directory('d/', { mode: 0 }), file('d/x'), directory('e/', { mode: 0o500 }))
      ]
      const { status, stderr, changes } = unpackInSandbox(
        ({ layout }) => buildImage(layout, { layers }).reference,
        (box) => {
          const script =
            'cd "$0"; chmod 700 d e; rm -r d e; ln -s ../../outside/closed d; ln -s ../../outside/read-only e'
          ok(...user.command('sh', '-euc', script, `${box.bundle}/rootfs`))
          asUser('diff', box.bundle)
          const copy = `${box.layout}-copy`
          ok('cp', '-a', box.layout, copy)
          asUser('repack', '--refresh-bundle', '--image', `${copy}:new`, box.bundle)
          ok('rm', '-r', copy)
          deleteBundle(box)
        },
        unpacker
      )
      expect({ status, changes }, stderr).toEqual({ status: 0, changes: [] })
    })

    function deleteBundle({ bundle }: Sandbox): void {
      asUser('bundle', 'delete', bundle)
    }

    function asUser(...args: string[]): void {
      expectOk(run(...user.command(...ociUnpackCommand, ...args)), args.join(' '))
    }
  }
)
