// One run of a command: wall and CPU seconds of its whole process tree, its memory, and whether all cores were busy.
import { spawn } from 'node:child_process'
import { sample } from './sample.mjs'

/**
 * @typedef {object} Times
 * @property {number} wall seconds
 * @property {number} user seconds, of all processes
 * @property {number} system seconds, of all processes
 * @property {number} cores how many were busy on average
 *
 * @typedef {Times & import('./sample.mjs').Seen} Usage
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
  const samples = sample(child.pid)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => {
      const seen = samples.stop()
      if (status !== 0)
        return reject(new Error(`${command.join(' ')}: exit status ${status}\n${stderr}`))
      const [wall, user, system] = stderr.trimEnd().split('\n').at(-1).split(' ').map(Number)
      resolve({ wall, user, system, cores: (user + system) / wall, ...seen })
    })
  })
}
