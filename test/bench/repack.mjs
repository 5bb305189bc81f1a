// Repack of the large Debian image by us and by others, side by side in one run:
//
//   npm run build && node test/bench/repack.mjs [--image LAYOUT:TAG] [--rounds 3] [--only one,new] [--on tmpfs,disk]
//
// `one`: one file of all is touched. `new`: a tree of about 1 GB, copied from the image's own /usr, is added to an empty
// image. Each contender has a bundle that it made itself; rounds alternate, so that a change of the machine's mood hits
// all. Nothing is asserted; medians are printed, with the size of the layer.
import { execFileSync } from 'node:child_process'
import console from 'node:console'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { layerBlobs } from './contenders.mjs'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

const PLACES = { tmpfs: '/dev/shm', disk: process.env.OCI_UNPACK_TEST_CACHE ?? '/var/tmp' }
const ours = [process.execPath, new URL('../../dist/main.js', import.meta.url).pathname]

/** Name → which program unpacks, and its repack without image and bundle. */
const CONTENDERS = {
  umoci: { program: ['umoci'], options: [] },
  'oci-unpack': { program: ours, options: [] },
  'oci-unpack --jobs 1': { program: ours, options: ['--jobs', '1'] },
  'oci-unpack --compress zstd': { program: ours, options: ['--compress', 'zstd'] }
}

const { values: options } = parseArgs({
  options: {
    image: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'one,new' },
    contenders: { type: 'string', default: Object.keys(CONTENDERS).join(',') },
    on: { type: 'string', default: 'tmpfs' }
  }
})

process.once('SIGINT', () => process.exit(130))
const image = options.image ?? debianImage()
const names = options.contenders.split(',')
console.log(describeMachine())
for (const place of options.on.split(',')) await benchmark(PLACES[place])

async function benchmark(place) {
  const directory = mkdtempSync(join(place, 'oci-unpack-bench-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const layout = join(directory, 'layout')
    execFileSync('cp', ['-a', image.slice(0, image.indexOf(':')), layout])
    const tag = image.slice(image.indexOf(':') + 1)
    if (options.only.includes('one')) await oneFile(place, directory, `${layout}:${tag}`)
    if (options.only.includes('new')) await allNew(place, directory, `${layout}:${tag}`)
  } finally {
    remove()
    process.off('exit', remove)
  }
}

async function oneFile(place, directory, base) {
  const bundles = {}
  for (const program of ['umoci', 'oci-unpack']) {
    bundles[program] = join(directory, program)
    run([...CONTENDERS[program].program, 'unpack', '--image', base, bundles[program]])
    writeFileSync(join(bundles[program], 'rootfs/etc/hostname'), 'changed\n')
  }
  const count = execFileSync('sh', ['-c', `find ${bundles.umoci}/rootfs | wc -l`], {
    encoding: 'utf8'
  })
  const withoutZstd = names.filter((name) => !name.includes('zstd'))
  await report(`one file of ${count.trim()} changed, ${place}`, withoutZstd, directory, (name) => {
    return bundles[name.split(' ')[0]]
  })
  for (const bundle of Object.values(bundles)) rmSync(bundle, { recursive: true, force: true })
}

async function allNew(place, directory, base) {
  const layout = join(directory, 'layout')
  const tree = join(directory, 'tree')
  run([...ours, 'raw', 'unpack', '--image', base, tree])
  run(['umoci', 'new', '--image', `${layout}:empty`])
  const bundle = join(directory, 'bundle')
  run([...ours, 'unpack', '--image', `${layout}:empty`, bundle])
  // About 1.1 GB of programs, libraries and sources in 22,000 files.
  for (const part of ['usr/bin', 'usr/lib/x86_64-linux-gnu', 'usr/lib/go-1.19', 'usr/include'])
    run([
      'sh',
      '-c',
      'cd "$0" && [ ! -e "$2" ] || cp -a --parents "$2" "$1/rootfs"',
      tree,
      bundle,
      part
    ])
  rmSync(tree, { recursive: true, force: true })
  const size = execFileSync('du', ['-s', '--apparent-size', '-BM', bundle], { encoding: 'utf8' })
  const files = execFileSync('sh', ['-c', `find ${bundle}/rootfs | wc -l`], { encoding: 'utf8' })
  await report(
    `all new, ${size.split('M')[0]} MiB in ${files.trim()} files, ${place}`,
    names,
    directory,
    () => bundle
  )
}

async function report(title, contenders, directory, bundleOf) {
  const results = Object.fromEntries(contenders.map((name) => [name, []]))
  const sizes = {}
  for (let round = 1; round <= Number(options.rounds); round++)
    for (const name of contenders) {
      const { program, options: flags } = CONTENDERS[name]
      const target = `${join(directory, 'layout')}:result`
      execFileSync('sync')
      const command = [...program, 'repack', ...flags, '--image', target, bundleOf(name)]
      const usage = await measure(command)
      results[name].push(usage)
      sizes[name] = statSync(layerBlobs(target).at(-1)).size
      console.error(`${title} ${round}/${options.rounds} ${name}: ${usage.wall.toFixed(2)} s`)
    }
  const layers = Object.entries(sizes).map(
    ([name, size]) => `${name} ${(size / 1e6).toFixed(2)} MB`
  )
  console.log(
    `\n${title}, medians of ${options.rounds}\n\n${table(results)}\n\nLayers: ${layers.join(', ')}`
  )
}

function run(command) {
  execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
}

function debianImage() {
  const cached = new URL('../images/cached.sh', import.meta.url).pathname
  const layout = execFileSync(cached, ['large'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  return `${layout.trim()}:debian`
}

function describeMachine() {
  const [{ model }] = cpus()
  const umoci = execFileSync('umoci', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  const load = loadavg()[0].toFixed(1)
  return `machine: ${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}, load ${load}; ${umoci}`
}
