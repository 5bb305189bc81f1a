// A warm store and a list of changes, beside umoci in one run, as root:
//
//   npm run bench:hooks -- [--image LAYOUT:TAG] [--size small|large] [--rounds 3] [--on DIRECTORY]
//
// `warm`: unpack where the overlay store has every layer. `delta`: repack of one changed file by what the upper
// directory holds, and by a look at every file. Rounds alternate. Nothing is asserted; medians are printed.
import { execFileSync } from 'node:child_process'
import console from 'node:console'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

const { values: options } = parseArgs({
  options: {
    image: { type: 'string' },
    size: { type: 'string', default: 'large' },
    rounds: { type: 'string', default: '3' },
    on: { type: 'string', default: '/dev/shm' }
  }
})
const main = new URL('../../dist/main.js', import.meta.url).pathname
const ours = [process.execPath, main]

process.once('SIGINT', () => process.exit(130))
console.log(
  `machine: ${cpus().length} × ${cpus()[0].model}, Linux ${release()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`
)
const directory = mkdtempSync(join(options.on, 'oci-unpack-bench-'))
const bundles = []
try {
  await benchmark(directory)
} finally {
  for (const bundle of bundles) run([...ours, 'bundle', 'delete', ...hooksOf(directory), bundle])
  rmSync(directory, { recursive: true, force: true })
}

async function benchmark(scratch) {
  const [layout, tag] = (options.image ?? debianImage()).split(/:(?=[^:]*$)/)
  const copy = join(scratch, 'layout')
  run(['cp', '-a', layout, copy])
  installSet(scratch)
  const image = `${copy}:${tag}`
  run(unpackStored(scratch, image, 'cold'))
  run(['umoci', 'unpack', '--image', image, join(scratch, 'umoci')])
  await report('unpack, every layer in the overlay store', {
    umoci: (round) => ['umoci', 'unpack', '--image', image, join(scratch, `umoci-${round}`)],
    'oci-unpack, warm overlay store': (round) => unpackStored(scratch, image, `warm-${round}`)
  })
  const change = (bundle) => writeFileSync(join(bundle, 'rootfs/etc/hostname'), 'changed\n')
  for (const bundle of ['umoci', 'cold']) change(join(scratch, bundle))
  const repack = (program, ...rest) => [...program, 'repack', '--image', `${copy}:result`, ...rest]
  const stored = join(scratch, 'cold')
  await report('repack, one file changed', {
    umoci: () => repack(['umoci'], join(scratch, 'umoci')),
    'oci-unpack, by a look at every file': () => repack(ours, '--no-hooks', stored),
    'oci-unpack, by the list of overlay': () => repack(ours, ...hooksOf(scratch), stored)
  })
}

function installSet(scratch) {
  cpSync(new URL('../../hooks/overlay', import.meta.url), join(scratch, 'overlay'), {
    recursive: true
  })
  const file = join(scratch, 'overlay/hooks.toml')
  const text = readFileSync(file, 'utf8').replace(
    /^STORE = .*$/m,
    `STORE = "${join(scratch, 'store')}"`
  )
  writeFileSync(file, text)
}

function hooksOf(scratch) {
  return ['--hooks', join(scratch, 'overlay/hooks.toml')]
}

function unpackStored(scratch, image, name) {
  bundles.push(join(scratch, name))
  return [...ours, 'unpack', ...hooksOf(scratch), '--image', image, join(scratch, name)]
}

async function report(title, contenders) {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 1; round <= Number(options.rounds); round++)
    for (const [name, command] of Object.entries(contenders)) {
      execFileSync('sync')
      results[name].push(await measure(command(round)))
    }
  console.log(`\n${title}, medians of ${options.rounds}\n\n${table(results)}`)
}

function run(command) {
  execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
}

function debianImage() {
  const cached = new URL('../images/cached.sh', import.meta.url).pathname
  const stdio = ['ignore', 'pipe', 'inherit']
  return `${execFileSync(cached, [options.size], { encoding: 'utf8', stdio }).trim()}:debian`
}
