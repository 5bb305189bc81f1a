// What a process tree is seen to use while it runs: memory, and processor time to the nanosecond.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import { clearInterval, setInterval } from 'node:timers'

// Often enough to see a peak; at 20 ms the sampling itself costs less than 1 % of a core.
const SAMPLE_MS = 20
// Below this share of all cores, one of them waited for something.
const BUSY = 0.9

/**
 * @typedef {object} Seen
 * @property {number} largest peak resident bytes of the largest process
 * @property {number} together peak of the sum over all processes, resident bytes
 * @property {number} waiting seconds in which not all cores were busy with the tree
 * @property {number} tail how many of these seconds were the last ones
 */

/** @param {number} parent whose descendants are looked at, but not itself @returns {{ stop: () => Seen }} */
export function sample(parent) {
  const seen = { largest: 0, together: 0, waiting: 0, tail: 0 }
  const spent = processorTime()
  let last = performance.now()
  const timer = setInterval(() => {
    const tasks = children(parent).flatMap(tree)
    const now = performance.now()
    noteCores(seen, (now - last) / 1000, spent(tasks))
    last = now
    noteMemory(seen, tasks.map(residentBytes))
  }, SAMPLE_MS)
  return { stop: () => (clearInterval(timer), seen) }
}

function noteCores(seen, seconds, used) {
  if (used >= BUSY * seconds * cpus().length) seen.tail = 0
  else {
    seen.waiting += seconds
    seen.tail += seconds
  }
}

function noteMemory(seen, sizes) {
  seen.largest = Math.max(seen.largest, ...sizes)
  seen.together = Math.max(
    seen.together,
    sizes.reduce((sum, size) => sum + size, 0)
  )
}

// The kernel counts for each thread; the statistics of whole processes have only hundredths of a second.
function processorTime() {
  let before = new Map()
  return (pids) => {
    const times = new Map(pids.flatMap(threads).map((file) => [file, nanoseconds(file)]))
    let used = 0
    for (const [file, time] of times) used += time - (before.get(file) ?? 0)
    before = times
    return used / 1e9
  }
}

function threads(pid) {
  return attempt(
    () => readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`),
    []
  )
}

function nanoseconds(thread) {
  return attempt(() => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]), 0)
}

function tree(pid) {
  return [pid, ...children(pid).flatMap(tree)]
}

// Any thread of a process may have started a child.
function children(pid) {
  return threads(pid).flatMap((thread) =>
    attempt(
      () => readFileSync(`${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
      []
    )
  )
}

function residentBytes(pid) {
  return attempt(
    () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
    0
  )
}

// Processes end while they are looked at.
function attempt(read, otherwise) {
  try {
    return read()
  } catch {
    return otherwise
  }
}
