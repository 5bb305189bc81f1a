/** Cases in which bundles were changed and the hooks have to know about it. */
import { unpackRootfs } from '../../engine/unpack.ts'
import type { Bench, Unpacked } from '../bench.ts'
import { callsOf, describeCall } from '../calls.ts'
import type { Case } from '../case.ts'
import { checkSame } from '../checks.ts'
import { editAgain, editLinked, editTree } from '../edits.ts'
import { fileLayer } from '../layers.ts'
import { Broken } from '../report.ts'
import { readTree, type Tree } from '../tree.ts'

export const deltaList: Case = {
  name: 'delta-list',
  contract:
    'delta-list names every path that was added, changed or deleted since finish, and may name more. A path that ends in ' +
    'a slash stands for everything below it, which is needed for renamed, replaced and new directories.',
  needs: ['delta-list'],
  async run(bench) {
    const unpacked = await bench.unpack(await bench.newImage(fileLayer('added', 'added')))
    editTree(unpacked.rootfs, bench.able)
    await checkDelta(bench, unpacked, 'edited')
    editLinked(unpacked.rootfs)
    await checkDelta(bench, unpacked, 'linked')
  }
}

/** The engine looks at everything and reports what the list left out. Both ways have to make the same image. */
async function checkDelta(bench: Bench, unpacked: Unpacked, tag: string): Promise<void> {
  const whole = await bench.repack(unpacked, `${tag}-whole`, { verifyDelta: true })
  const listed = await bench.repack(unpacked, `${tag}-listed`)
  if (whole.diffId !== undefined && whole.diffId === listed.diffId) return
  const [expected, found] = [whole, listed].map(({ reference }) => treeOf(bench, reference))
  checkSame(await expected!, await found!, 'The image made from the list is incomplete', {
    expected: 'the bundle: delta-list left it out',
    found: 'the image made from the list'
  })
  throw new Broken({
    asked: callsOf(bench.calls, 'delta-list').map(describeCall).join('\n'),
    seen: 'The layer made from the list differs from the one made by looking at everything.'
  })
}

export const refresh: Case = {
  name: 'refresh',
  contract:
    'After refresh-bundle the root file system equals what the new image unpacks to, and only later changes count as ' +
    'changes of the bundle.',
  needs: [],
  async run(bench) {
    const unpacked = await bench.unpack(await bench.newImage(fileLayer('added', 'added')))
    editTree(unpacked.rootfs, bench.able)
    await refreshed(bench, unpacked, 'first')
    const { diffId } = await bench.repack(unpacked, 'nothing')
    if (diffId !== undefined)
      throw new Broken({ seen: 'A second repack found changes, though there were none.' })
    editAgain(unpacked.rootfs)
    await refreshed(bench, unpacked, 'second')
  }
}

async function refreshed(bench: Bench, unpacked: Unpacked, tag: string): Promise<void> {
  const { reference } = await bench.repack(unpacked, tag, { refreshBundle: true })
  const found = readTree(unpacked.rootfs, bench.set)
  checkSame(
    await treeOf(bench, reference),
    found,
    `After the ${tag} repack with a refresh, ${unpacked.rootfs} is not the new image`,
    {
      expected: 'the new image',
      found: bench.set.points.has('delta-list')
        ? 'the bundle: delta-list left it out, so it is not in the new image'
        : 'the bundle, and not in the new image'
    }
  )
}

async function treeOf(bench: Bench, reference: string): Promise<Tree> {
  const plain = bench.newPath('plain')
  await unpackRootfs({ image: reference, destination: plain, jobs: 0 })
  return readTree(plain, bench.set)
}
