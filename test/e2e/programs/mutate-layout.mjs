// One of several processes at work in one layout. It does everything that changes a layout, each round anew, on tags of
// its own, and looks at what it made. At the end it prints its tags with the digests that they must have.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const { library, layout, home, own, common, rounds } = JSON.parse(process.argv[2])
const oci = await import(library)
const self = process.pid
const jobs = self % 2

/** What this process has made, and did not remove, by tag. */
const made = {}
const named = (tag) => `${layout}:${tag}`
const note = (tag, digest) => (made[tag] = digest)

for (let round = 0; round < rounds; round++) {
  const [blank, added, inserted, configured, repacked, copied, extra] = [
    'blank',
    'added',
    'inserted',
    'configured',
    'repacked',
    'copied',
    'extra'
  ].map((step) => `${self}.${round}.${step}`)

  note(blank, (await oci.newImage({ image: named(blank) })).manifestDigest)
  note(added, await change('addLayerArchive', { image: blank, tag: added, archive: own }))
  note(
    inserted,
    await change('insert', { image: added, tag: inserted, source: own, target: blank })
  )
  const changes = { author: configured }
  note(configured, await change('configureImage', { image: inserted, tag: configured, changes }))
  await forget(blank)
  await oci.collectGarbage({ layout })
  note(repacked, await repack(configured, repacked))
  // all processes copy and forget the same blobs, so that a collection would like to have them
  await oci.copy({ source: common, destination: named(copied), jobs })
  await oci.tagImage({ image: named(copied), tag: extra })
  await forget(copied)
  note(extra, await digestOf(extra))
  if (round % 2 === 0) await forget(extra)
  await refuse(oci.initLayout({ layout }), 'LAYOUT_EXISTS')
  await look()
}
process.stdout.write(JSON.stringify(made))

async function change(name, { image, tag, ...options }) {
  return (await oci[name]({ image: named(image), tag, jobs, ...options })).manifestDigest
}

async function repack(from, to) {
  const bundle = join(home, to)
  await oci.unpack({ image: named(from), destination: bundle, jobs })
  appendFileSync(join(bundle, 'rootfs/own'), to)
  const { manifestDigest } = await oci.repack({ image: named(to), bundle, jobs })
  await oci.deleteBundle({ bundle })
  return manifestDigest
}

async function forget(tag) {
  await oci.removeTag({ image: named(tag) })
  Reflect.deleteProperty(made, tag)
}

async function refuse(promise, code) {
  const error = await promise.then(() => undefined).catch((reason) => reason)
  if (error?.code !== code) throw new Error(`not refused: ${code}`, { cause: error })
}

/** The own tags are there, with what they should have, and the layout is whole for whoever reads it now. */
async function look() {
  const tags = await oci.listLayout({ layout })
  for (const [tag, digest] of Object.entries(made)) {
    if (tags.filter((it) => it === tag).length !== 1) throw new Error(`${tag} is lost`)
    if ((await digestOf(tag)) !== digest) throw new Error(`${tag} is another image`)
  }
  const { ok, blobs } = await oci.verify({ layout, jobs })
  if (!ok) throw new Error(JSON.stringify(blobs.filter(({ status }) => status !== 'ok')))
}

async function digestOf(tag) {
  return (await oci.statImage({ image: named(tag) })).image.manifest.descriptor.digest
}
