/** The program of `runChild`: one unpack, which tells of every call of a hook and may be killed after one. */
import { writeSync } from 'node:fs'
import { toErrorRecord } from '../errors.ts'
import { unpack } from '../engine/unpack.ts'
import { withTrace } from '../hooks/trace.ts'
import { ANSWER_FD, type ChildLine, type ChildTask } from './run-child.ts'
import { openHooks } from './source.ts'

const { hooks: file, image, destination, killAfter } = JSON.parse(process.argv[2]!) as ChildTask

let calls = 0
const set = await openHooks(file)
const hooks = withTrace(set, (call) => {
  say({ call })
  calls++
  if (calls === killAfter) process.kill(process.pid, 'SIGKILL')
})
try {
  await unpack({ image, destination, hooks })
  say({ done: true })
} catch (error) {
  say({ error: toErrorRecord(error) })
} finally {
  await set.close()
}

/** At once: what a pipe of Node still holds dies with the process. */
function say(line: ChildLine): void {
  writeSync(ANSWER_FD, `${JSON.stringify(line)}\n`)
}
