// Cold unpack of a Debian image by us and by others, side by side in one run:
//
//   npm run bench -- [--image LAYOUT:TAG] [--size small|large|fat|squashed|chown|upgrade] [--rounds 3] [--only NAME,…]
//     [--on tmpfs,disk,DIRECTORY]
//
// The default are all contenders that make a tree. Those that make EROFS images run if they are named: erofsContenders in
// contenders.mjs.
//
// The last four sizes are images made from the large one: test/images/derived/derive.sh says how.
//
// Rounds alternate between the contenders, so that a change of the machine's mood hits all of them. The layout is read
// once before (all read it from the page cache) and every target is new. Nothing is asserted; medians are printed.
import { execFileSync } from 'node:child_process'
import console from 'node:console'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { contenders, erofsContenders, layerBlobs } from './contenders.mjs'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

// ext4 does not use an inode again within a minute of its deletion and walks past all of those first: right after the
// removal of an earlier tree, three quarters of a run's CPU samples were in that walk. So on disk what a round made goes
// at its end, and the next begins when that is forgotten. On tmpfs there is nothing to forget, but no room for several.
const PLACES = {
  tmpfs: { path: '/dev/shm', removeAtOnce: true, restSeconds: 0 },
  disk: {
    path: process.env.OCI_UNPACK_TEST_CACHE ?? '/var/tmp',
    removeAtOnce: false,
    restSeconds: 65
  }
}

const { values: options } = parseArgs({
  options: {
    image: { type: 'string' },
    size: { type: 'string', default: 'large' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: Object.keys(contenders).join(',') },
    on: { type: 'string', default: 'tmpfs,disk' }
  }
})

process.once('SIGINT', () => process.exit(130))
const image = options.image ?? debianImage(options.size)
console.log(describe(image))
for (const name of options.on.split(',')) {
  const results = await alternate(
    image,
    PLACES[name] ?? { ...PLACES.disk, path: name },
    options.only.split(',')
  )
  console.log(`\n${name}, medians of ${options.rounds}\n\n${table(results)}`)
}

async function alternate(image, place, names) {
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let left = Number(options.rounds); left > 0; left--) {
    for (const [name, usage] of await oneRound(image, place, names)) results[name].push(usage)
    if (left > 1) await setTimeout(place.restSeconds * 1000)
  }
  return results
}

async function oneRound(image, place, names) {
  const directory = mkdtempSync(join(place.path, 'oci-unpack-bench-'))
  chmodSync(directory, 0o1777) // contenders may be other users
  const remove = (path) => rmSync(path, { recursive: true, force: true })
  const removeAll = () => remove(directory)
  process.once('exit', removeAll)
  const usages = []
  for (const [index, name] of names.entries()) {
    const target = join(directory, String(index))
    // What an earlier run left to be written would be this run's burden.
    execFileSync('sync')
    const usage = await measure({ ...contenders, ...erofsContenders }[name](image, target))
    usages.push([name, usage])
    console.error(`${place.path} ${name}: ${usage.wall.toFixed(2)} s`)
    if (place.removeAtOnce) remove(target)
  }
  process.off('exit', removeAll)
  removeAll()
  execFileSync('sync')
  return usages
}

function debianImage(size) {
  const script = ['small', 'large'].includes(size) ? 'cached.sh' : 'derived/cached.sh'
  const cached = new URL(`../images/${script}`, import.meta.url).pathname
  const layout = execFileSync(cached, [size], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  execFileSync('chmod', ['-R', 'a+rX', layout.trim()]) // contenders may be other users
  return `${layout.trim()}:debian`
}

function describe(image) {
  const blobs = layerBlobs(image)
  for (const blob of blobs) execFileSync('cat', [blob], { stdio: 'ignore' })
  const bytes = blobs.reduce((sum, blob) => sum + statSync(blob).size, 0)
  const [{ model }] = cpus()
  return [
    `image: ${blobs.length} layers, ${(bytes / 1e9).toFixed(2)} GB compressed`,
    `machine: ${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}`,
    `others: ${['umoci', 'tar', 'igzip', 'openssl'].map(version).join('; ')}`
  ].join('\n')
}

function version(program) {
  const flag = program === 'openssl' ? 'version' : '--version'
  const text = execFileSync(program, [flag], { encoding: 'utf8' })
  return text.split('\n')[0].trim()
}
