// From a registry on loopback to a root file system, by us in one step and in two, side by side in one run:
//
//   npm run bench:registry -- [--size small|large] [--rounds 3] [--on /dev/shm]
//
// Rounds alternate. The peak of the disk is what the contender has below its directory at most, sampled ten times a
// second. Nothing is asserted; medians are printed.
import { execFileSync, spawn } from 'node:child_process'
import console from 'node:console'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { measure } from './measure.mjs'
import { table } from './table.mjs'

const ours = new URL('../../dist/main.js', import.meta.url).pathname
const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'large' },
    rounds: { type: 'string', default: '3' },
    on: { type: 'string', default: '/dev/shm' }
  }
})

const CONTENDERS = {
  'oci-unpack unpack docker://': (image, to) => `${ours} unpack --image ${image} ${to}/bundle`,
  'skopeo copy, oci-unpack unpack': (image, to) =>
    `skopeo copy -q --src-tls-verify=false ${image} oci:${to}/layout:x && ${ours} unpack --image ${to}/layout:x ${to}/bundle`,
  'oci-unpack copy, oci-unpack unpack': (image, to) =>
    `${ours} copy ${image} oci:${to}/layout:x && ${ours} unpack --image ${to}/layout:x ${to}/bundle`
}

const work = mkdtempSync(join(options.on, 'oci-unpack-bench-'))
const registry = await startRegistry(work)
try {
  const image = `docker://${registry.host}/debian:12`
  const layout = execFileSync(new URL('../images/cached.sh', import.meta.url).pathname, [
    options.size
  ])
  const from = `oci:${layout.toString().trim()}:debian`
  execFileSync('skopeo', ['copy', '-q', '--dest-tls-verify=false', from, image])
  const results = Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, []]))
  const peaks = Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, []]))
  for (let round = 1; round <= Number(options.rounds); round++)
    for (const [name, command] of Object.entries(CONTENDERS)) {
      const to = mkdtempSync(join(work, 'to-'))
      const peak = watch(options.on)
      const usage = await measure(['sh', '-c', command(image, to)])
      peaks[name].push(await peak.stop())
      rmSync(to, { recursive: true, force: true })
      console.log(`${round}/${options.rounds} ${name}: ${usage.wall.toFixed(2)} s`)
      results[name].push(usage)
    }
  console.log(`\n${options.on}, medians of ${options.rounds}\n\n${table(results)}\n`)
  for (const [name, bytes] of Object.entries(peaks))
    console.log(`${name}: at most ${Math.round(Math.max(...bytes) / 2 ** 20)} MiB on the disk`)
} finally {
  registry.stop()
  rmSync(work, { recursive: true, force: true })
}

function watch(path) {
  const free = () => {
    const { bfree, bsize } = statfsSync(path)
    return bfree * bsize
  }
  const before = free()
  let least = before
  let isOver = false
  const sampling = (async () => {
    while (!isOver) {
      least = Math.min(least, free())
      await setTimeout(100)
    }
  })()
  return {
    async stop() {
      isOver = true
      await sampling
      return before - least
    }
  }
}

async function startRegistry(directory) {
  const host = `127.0.0.1:${await freePort()}`
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'registry') } },
    http: { addr: host }
  }
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: 'ignore'
  })
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(host)) break
    await setTimeout(25)
  }
  return { host, stop: () => child.kill() }
}

async function answers(host) {
  return new Promise((resolve) => {
    get(`http://${host}/v2/`, (response) => resolve(response.resume() !== undefined)).on(
      'error',
      () => resolve(false)
    )
  })
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
