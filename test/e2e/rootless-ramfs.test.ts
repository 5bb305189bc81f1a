/** A file system without any attributes, as many of NFS are: owners cannot be in one, and must not get lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, run, type Run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { layerEntries } from './layer-entries.ts'
import { buildRareImage } from './rootless-image.ts'

const EDIT = `
  cd "$0"; chmod 600 owned dev/tty fifo; chmod 700 home ping; echo more >>noted; chmod 640 trusted
  touch -h -d @1600000000 owned dev/tty fifo home ping noted trusted link`

describe.runIf(needs('mounts', ...USER_TOOLS))('a file system without attributes', () => {
  let user: OrdinaryUser
  let work = ''
  let place = ''
  beforeAll(() => {
    user = makeUser()
    work = makeTemporary()
    place = `${work}/ramfs`
    ok('mkdir', place)
    ok('mount', '-t', 'ramfs', 'none', place)
    buildRareImage(`${place}/layout`)
    ok('cp', '-r', `${place}/layout`, `${work}/layout`)
    ok('chmod', '755', work)
    ok('chown', '-R', `${user.uid}:${user.gid}`, place)
  })
  afterAll(() => {
    run('umount', place)
    removeTemporary(work)
    removeUser(user)
  })

  test('gives no layer if nothing was changed, and the layer of root after an edit', () => {
    const [image, bundle] = [`${place}/layout`, `${place}/bundle`]
    asUser('unpack', '--rootless', '--image', `${image}:latest`, bundle)
    asUser('repack', '--image', `${image}:untouched`, bundle)
    expect(layerEntries(image, 'untouched', 2)).toEqual([])
    ok(...user.command('sh', '-euc', EDIT, `${bundle}/rootfs`))
    asUser('repack', '--image', `${image}:edited`, bundle)

    ociUnpackOk('unpack', '--image', `${work}/layout:latest`, `${work}/bundle`)
    ok('sh', '-euc', EDIT, `${work}/bundle/rootfs`)
    ociUnpackOk('repack', '--image', `${work}/layout:edited`, `${work}/bundle`)
    expect(layerEntries(image, 'edited', 2)).toEqual(layerEntries(`${work}/layout`, 'edited', 2))
    asUser('bundle', 'delete', bundle)
  })

  function asUser(...args: string[]): Run {
    return expectOk(user.run(...ociUnpackCommand, ...args), args.join(' '))
  }
})
