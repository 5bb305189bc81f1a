/** Bundles that were changed, and what the hooks know of that. */
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
    'delta-list names every path that was added, changed or deleted since finish, more if it likes. A path that ends in ' +
    'a slash stands for all below it: needed for directories that were renamed, replaced or made anew.',
  needs: ['delta-list'],
  async run(bench) {
    const unpacked = await bench.unpack(await bench.newImage(fileLayer('added', 'added')))
    editTree(unpacked.rootfs, bench.able)
    await checkDelta(bench, unpacked, 'edited')
    editLinked(unpacked.rootfs)
    await checkDelta(bench, unpacked, 'linked')
  }
}

/** The engine looks at everything and says what is left out; and both ways make the same image. */
async function checkDelta(bench: Bench, unpacked: Unpacked, tag: string): Promise<void> {
  const whole = await bench.repack(unpacked, `${tag}-whole`, { verifyDelta: true })
  const listed = await bench.repack(unpacked, `${tag}-listed`)
  if (whole.diffId !== undefined && whole.diffId === listed.diffId) return
  const [expected, found] = [whole, listed].map(({ reference }) => treeOf(bench, reference))
  checkSame(await expected!, await found!, 'The image that was made by the list is not the whole')
  throw new Broken({
    asked: callsOf(bench.calls, 'delta-list').map(describeCall).join('\n'),
    seen: 'The layer that was made by the list differs from the one made by a look at everything.'
  })
}

export const refresh: Case = {
  name: 'refresh',
  contract:
    'After refresh-bundle the root file system is what the new image unpacks to, and only what changes from then on is a ' +
    'change of the bundle.',
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
  const found = readTree(unpacked.rootfs)
  checkSame(
    await treeOf(bench, reference),
    found,
    `After the ${tag} repack with a refresh, ${unpacked.rootfs} is not the new image`
  )
}

async function treeOf(bench: Bench, reference: string): Promise<Tree> {
  const plain = bench.newPath('plain')
  await unpackRootfs({ image: reference, destination: plain, jobs: 0 })
  return readTree(plain)
}
