// `npm run demo`: makes a small image, unpacks it, changes it, and says what each step shows. Needs Node and nothing
// else, no root either; everything happens in a temporary directory, which stays with --keep.
import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import console from 'node:console'
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { writeDemoImage } from './image.mjs'

const main = new URL('../../dist/main.js', import.meta.url).pathname
const work = mkdtempSync(join(tmpdir(), 'oci-unpack-demo-'))
const keep = process.argv.includes('--keep')
const layout = join(work, 'layout')
const bundle = join(work, 'bundle')
const rootfs = join(bundle, 'rootfs')

try {
  await demo()
} finally {
  if (!keep) rmSync(work, { recursive: true, force: true })
}

async function demo() {
  say(`1. Make an image with two layers in ${layout}.`)
  await writeDemoImage(layout)
  unpackIt()
  showTree()
  changeIt()
  repackIt()
  roundTrip()
  refuseDamage()
  say(
    keep
      ? `Everything is kept in ${work}.`
      : 'The temporary directory is removed now. Use --keep to keep it.'
  )
}

function unpackIt() {
  say(
    '2. Unpack it: layers are read in parallel, every digest is checked, and the bundle appears when it is complete.'
  )
  if (process.geteuid() !== 0) say('   You are not root, so root in the image is mapped to you.')
  command('unpack', '--image', `${layout}:demo`, ...asUser(), bundle)
  shell(`ls -A ${bundle}`)
}

function showTree() {
  say(
    '3. Look at the tree: deletions and replacements of the second layer are done, and links, FIFO, modes and times are as in the image.'
  )
  shell(`ls -lAR --full-time ${rootfs}`)
  shell(`cat ${rootfs}/etc/motd`)
}

function changeIt() {
  say('4. Change the tree.')
  writeFileSync(join(rootfs, 'srv/new'), 'a new file\n')
  unlinkSync(join(rootfs, 'srv/pipe'))
  shell(`ls ${rootfs}/srv`)
}

function repackIt() {
  say('5. Store the changes as a layer of a new image; `diff` shows them first.')
  command('diff', bundle)
  command('repack', '--image', `${layout}:changed`, bundle)
}

function roundTrip() {
  say(
    '6. Unpack the new image: it equals the changed tree in every field that ls shows, so diff prints nothing.'
  )
  const again = join(work, 'again')
  command('unpack', '--image', `${layout}:changed`, ...asUser(), again)
  shell(
    `cd ${bundle} && ls -lAR --full-time rootfs > ../before; cd ${again} && ls -lAR --full-time rootfs > ../after`
  )
  shell(`diff ${work}/before ${work}/after && rm ${work}/before ${work}/after`)
}

function refuseDamage() {
  say('7. Damage the image: unpack refuses it and leaves nothing behind.')
  const [layer] = JSON.parse(readFileSync(blobOf(manifestDigest()), 'utf8')).layers
  writeFileSync(
    blobOf(layer.digest),
    Buffer.from(readFileSync(blobOf(layer.digest))).fill(0, 20, 24)
  )
  command('unpack', '--image', `${layout}:demo`, ...asUser(), join(work, 'other'))
  shell(`ls -A ${work}`)
}

function manifestDigest() {
  return JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0].digest
}

function blobOf(digest) {
  return join(layout, 'blobs', digest.replace(':', '/'))
}

function asUser() {
  if (process.geteuid() === 0) return []
  return [`--uid-map=0:${process.geteuid()}:1`, `--gid-map=0:${process.getegid()}:1`]
}

function command(...args) {
  console.log(`$ oci-unpack ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' })
  if (status !== 0) console.log(`(exit status ${status})`)
}

function shell(script) {
  console.log(`$ ${script}`)
  spawnSync('sh', ['-c', script], { stdio: 'inherit' })
}

function say(text) {
  console.log(`\n${text}`)
}
