// Cold unpack of the large Debian image by us and by others, side by side in one run:
//
//   npm run bench -- [--image LAYOUT:TAG] [--size small|large] [--rounds 3] [--only NAME,…] [--on tmpfs,disk]
//
// Rounds alternate between the contenders, so that a change of the machine's mood hits all of them. The layout is read
// once before (all read it from the page cache) and every target is new. Nothing is asserted; medians are printed.
import { execFileSync } from 'node:child_process'
import console from 'node:console'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { contenders, layerBlobs } from './contenders.mjs'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

const PLACES = { tmpfs: '/dev/shm', disk: process.env.OCI_UNPACK_TEST_CACHE ?? '/var/tmp' }

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
for (const place of options.on.split(',')) {
  const results = await alternate(
    image,
    PLACES[place],
    options.only.split(','),
    Number(options.rounds)
  )
  console.log(`\n${place} (${PLACES[place]}), medians of ${options.rounds}\n\n${table(results)}`)
}

async function alternate(image, place, names, rounds) {
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round++)
    for (const name of names) {
      const usage = await coldRun(place, (target) => contenders[name](image, target))
      results[name].push(usage)
      console.error(`${place} ${round}/${rounds} ${name}: ${usage.wall.toFixed(2)} s`)
    }
  return results
}

async function coldRun(place, command) {
  const directory = mkdtempSync(join(place, 'oci-unpack-bench-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    // What an earlier run left to be written would be this run's burden.
    execFileSync('sync')
    return await measure(command(join(directory, 'target')))
  } finally {
    remove()
    process.off('exit', remove)
  }
}

function debianImage(size) {
  const cached = new URL('../images/cached.sh', import.meta.url).pathname
  const layout = execFileSync(cached, [size], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
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
    `others: ${['umoci', 'tar', 'igzip'].map(version).join('; ')}`
  ].join('\n')
}

function version(program) {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return text.split('\n')[0].trim()
}
