// A disk of 2 GiB out of a gzip layer: copied as a whole, its first byte, and reads anywhere, beside a pipe that
// verifies and beside nbdkit, in one run, as root (needs isal, nbdkit, libnbd-bin and e2fsprogs):
//
//   npm run bench:files -- [--rounds 3] [--on DIRECTORY] [--reads 200]
//
// Rounds alternate. Nothing is asserted; medians are printed.
import { execFileSync, spawn } from 'node:child_process'
import console from 'node:console'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { openImageFile } from '../../dist/index.js'
import { layerBlobs } from './contenders.mjs'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    on: { type: 'string', default: '/dev/shm' },
    reads: { type: 'string', default: '200' }
  }
})
const SIZE = 2 ** 31
const READ = 64 * 1024
// FIFOs instead of process substitution, because the shell waits only for processes that it knows.
const VERIFIED_PIPE = `
  mkfifo "$1.tar"
  openssl dgst -sha256 "$0" >/dev/null & openssl dgst -sha256 <"$1.tar" >/dev/null &
  igzip -dc "$0" | tee "$1.tar" | tar -xO disk/disk.img >"$1" || exit
  wait; rm "$1.tar"`

const ours = [process.execPath, new URL('../../dist/main.js', import.meta.url).pathname]
const rounds = [...Array(Number(options.rounds)).keys()]

process.once('SIGINT', () => process.exit(130))
console.log(
  `machine: ${cpus().length} × ${cpus()[0].model}, Linux ${release()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`
)
const work = mkdtempSync(join(options.on, 'oci-unpack-bench-'))
process.once('exit', () => rmSync(work, { recursive: true, force: true }))

const image = makeImage()
const [blob] = layerBlobs(image)
const commands = {
  'oci-unpack file export': (output) => file('export', 'disk/disk.img', output),
  'igzip, sha256 of blob and tar, tar -xO': (output) => bash(VERIFIED_PIPE, blob, output),
  'nbdkit (gzip, tar), nbdcopy': (output) => nbdkit(`nbdcopy "$uri" ${output}`),
  'oci-unpack file serve, nbdcopy': (output) =>
    file('serve', '--run', `nbdcopy "$uri" ${output}`, 'disk/disk.img')
}
console.log(`layer: ${mib(statSync(blob).size)} MiB of gzip, a disk of ${mib(SIZE)} MiB`)
const index = mkdtempSync(join(work, 'index-'))
console.log(`index: ${(await measure(file('index'))).wall.toFixed(2)} s`)
await copies()
await firstBytes()
await reads()

function makeImage() {
  const cached = new URL('../images/cached.sh', import.meta.url).pathname
  const layout = execFileSync(cached, ['large'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  }).trim()
  const bundle = join(work, 'bundle')
  const disk = join(work, 'tree/disk')
  mkdirSync(disk, { recursive: true })
  run(...ours, 'unpack', '--image', `${layout}:debian`, bundle)
  run(
    'mke2fs',
    '-q',
    '-t',
    'ext4',
    '-d',
    `${bundle}/rootfs/usr/lib`,
    `${disk}/disk.img`,
    String(SIZE / 1024)
  )
  rmSync(bundle, { recursive: true })
  run(
    'tar',
    '--create',
    '--gzip',
    '--file',
    `${work}/disk.tar.gz`,
    '--directory',
    join(work, 'tree'),
    'disk'
  )
  rmSync(join(work, 'tree'), { recursive: true })
  run(...ours, 'copy', `tar:${work}/disk.tar.gz`, `${work}/layout:disk`)
  rmSync(`${work}/disk.tar.gz`)
  return `${work}/layout:disk`
}

async function copies() {
  const results = {}
  for (const round of rounds)
    for (const [name, command] of Object.entries(commands)) {
      const output = join(work, `output-${round}`)
      execFileSync('sync')
      ;(results[name] ??= []).push(await measure(command(output)))
      rmSync(output)
    }
  console.log(`\nthe whole disk into a new file, medians\n\n${table(results)}`)
}

async function firstBytes() {
  const { 'oci-unpack file export': exported, 'nbdkit (gzip, tar), nbdcopy': served } = commands
  console.log('\n| first byte | s, median |\n| --- | ---: |')
  for (const [name, command] of Object.entries({
    'oci-unpack file export -': exported('-'),
    'nbdkit, nbdcopy': served('-')
  })) {
    const times = []
    for (const round of rounds) times[round] = await firstByte(command)
    console.log(`| ${name} | ${median(times).toFixed(3)} |`)
  }
}

function firstByte([program, ...args]) {
  const began = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('data', () => {
      const seconds = (performance.now() - began) / 1000
      child.once('close', () => resolve(seconds))
      process.kill(-child.pid, 'SIGTERM')
      child.stdout.destroy()
    })
  })
}

/** Each at another place, in no order, the same places for all. Without an index, all that is before is inflated. */
async function reads() {
  const offsets = Array.from(
    { length: Number(options.reads) },
    (_, i) => ((i * 3301) % 8191) * (SIZE / 8192)
  )
  const file = await openImageFile({ image, path: '/disk/disk.img', index })
  const began = performance.now()
  const target = new Uint8Array(READ)
  for (const offset of offsets) await file.read(target, offset)
  const withIndex = (performance.now() - began) / 1000 / offsets.length
  await file.close()
  const times = []
  for (const offset of offsets.slice(0, 10)) {
    const read = `"$0" "$@" | tail -c +${offset + 1} | head -c ${READ} >/dev/null`
    const stream = [
      ...ours,
      'file',
      'export',
      '--stop-early',
      '--image',
      image,
      'disk/disk.img',
      '-'
    ]
    times.push((await measure(bash(read, ...stream))).wall)
  }
  console.log(`
| a read of 64 KiB | ms | times as fast |
| --- | ---: | ---: |
| without an index, mean of ${times.length} | ${(mean(times) * 1000).toFixed(1)} | 1 |
| with an index, mean of ${offsets.length} | ${(withIndex * 1000).toFixed(1)} | ${(mean(times) / withIndex).toFixed(0)} |`)
}

function file(command, ...args) {
  const indexed = command === 'export' ? [] : ['--index', index]
  return [...ours, 'file', command, ...indexed, '--image', image, ...args]
}

function nbdkit(command) {
  return [
    'nbdkit',
    '--unix',
    '-',
    '--filter=tar',
    '--filter=gzip',
    'file',
    blob,
    'tar-entry=disk/disk.img',
    '--run',
    command
  ]
}

function bash(script, ...args) {
  return ['bash', '-c', script, ...args]
}

function run(...command) {
  execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function mib(bytes) {
  return (bytes / 2 ** 20).toFixed(0)
}
