// One run of a command: wall and CPU seconds of its whole process tree, and its memory.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { clearInterval, setInterval } from 'node:timers'

// Often enough to see a peak; at 20 ms the sampling itself costs less than 1 % of a core.
const SAMPLE_MS = 20

/**
 * @typedef {object} Usage
 * @property {number} wall seconds
 * @property {number} user seconds, of all processes
 * @property {number} system seconds, of all processes
 * @property {number} largest peak resident bytes of the largest process
 * @property {number} together peak of the sum over all processes, resident bytes, sampled
 */

/**
 * @param {readonly string[]} command
 * @returns {Promise<Usage>}
 * @throws when the command fails, with what it said
 */
export function measure(command) {
  // bash's `time` counts all descendants that were waited for.
  const timed = ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bash', ...command]
  const child = spawn('bash', timed, { stdio: ['ignore', 'ignore', 'pipe'] })
  const memory = sampleMemory(child.pid)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => {
      const peaks = memory.stop()
      if (status !== 0)
        return reject(new Error(`${command.join(' ')}: exit status ${status}\n${stderr}`))
      const [wall, user, system] = stderr.trimEnd().split('\n').at(-1).split(' ').map(Number)
      resolve({ wall, user, system, ...peaks })
    })
  })
}

function sampleMemory(shell) {
  const peaks = { largest: 0, together: 0 }
  const timer = setInterval(() => {
    const sizes = children(shell).flatMap(tree).map(residentBytes)
    peaks.largest = Math.max(peaks.largest, ...sizes)
    peaks.together = Math.max(
      peaks.together,
      sizes.reduce((sum, size) => sum + size, 0)
    )
  }, SAMPLE_MS)
  return { stop: () => (clearInterval(timer), peaks) }
}

function tree(pid) {
  return [pid, ...children(pid).flatMap(tree)]
}

// Any thread of a process may have started a child.
function children(pid) {
  return attempt(() => readTasks(pid), [])
}

function readTasks(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number)
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
