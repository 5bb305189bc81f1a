// Unpacks what is listed on standard input, with the built modules: as it is preloaded, every thread waits at random
// moments between the stages of a layer, and threads assist with layers of any size.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { URL } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const modules = new URL('../../build/', import.meta.url)
const { SharedCells } = await import(new URL('sys/shared-cells.js', modules))
const { Assistance } = await import(new URL('worker/assistance.js', modules))

Assistance.prototype.isWorth = () => true

const clock = new Int32Array(new SharedArrayBuffer(4))
const delay = () => {
  if (Math.random() < 0.04) Atomics.wait(clock, 0, 0, Math.random() * 3)
}
for (const name of ['get', 'tryLock', 'unlock', 'set', 'signal']) {
  const act = SharedCells.prototype[name]
  SharedCells.prototype[name] = function (...values) {
    delay()
    return act.apply(this, values)
  }
}

if (isMainThread && process.argv[1]?.endsWith('delayed-unpacks.mjs')) {
  const { unpackRootfs, unpack } = await import(new URL('index.js', modules))
  for (const { as, ...options } of JSON.parse(readFileSync(0, 'utf8')))
    await (as === 'bundle' ? unpack : unpackRootfs)(options)
}
