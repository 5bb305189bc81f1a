// How long threads are busy with each stage of each layer while an image is unpacked, and how long layers wait:
//
//   npm run bench:stages -- [--image LAYOUT:TAG] [--jobs 1,2,4] [--manifest full|lazy]
//
// With more threads than cores, a stage that is counted as busy may be waiting for a core; then the sums grow, but the time
// in which layers wait for a stage should not.
import console from 'node:console'
import { mkdtempSync, rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { unpack } from '../../dist/index.js'

const { values: options } = parseArgs({
  options: {
    image: { type: 'string' },
    jobs: { type: 'string', default: '1,2,4' },
    manifest: { type: 'string', default: 'full' }
  }
})
if (options.image === undefined) throw new Error('Name an image with --image LAYOUT:TAG.')

for (const jobs of options.jobs.split(',').map(Number)) {
  const { wall, layers } = await measure(jobs)
  console.log(`\n${jobs} threads, ${wall.toFixed(2)} s\n`)
  console.log('| layer | read s | parse s | hash s | wait s |')
  console.log('| --- | ---: | ---: | ---: | ---: |')
  for (const [layer, stages] of layers.entries()) console.log(row(String(layer + 1), stages))
  console.log(row('all', sum(layers)))
}

async function measure(jobs) {
  const directory = mkdtempSync('/dev/shm/oci-unpack-stages-')
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const layers = []
  const began = performance.now()
  await unpack({
    image: options.image,
    destination: `${directory}/bundle`,
    manifest: options.manifest,
    jobs,
    onEvent: (event) => {
      if (event.type === 'layer') layers[event.layer] = event.counters.stages
    }
  })
  const wall = (performance.now() - began) / 1000
  remove()
  process.off('exit', remove)
  return { wall, layers }
}

function sum(layers) {
  const total = { read: 0, parse: 0, hash: 0, wait: 0 }
  for (const stages of layers) for (const stage of Object.keys(total)) total[stage] += stages[stage]
  return total
}

function row(name, { read, parse, hash, wait }) {
  return `| ${[name, ...[read, parse, hash, wait].map((time) => (time / 1000).toFixed(2))].join(' | ')} |`
}
