/** The program of `runChild`: one unpack, which reports every call of a hook and may be killed after or during one. */
import { writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { toErrorRecord } from '../errors.ts'
import { unpack } from '../engine/unpack.ts'
import type { HookSet } from '../hooks/calls.ts'
import { hookName } from '../hooks/points.ts'
import { withTrace } from '../hooks/trace.ts'
import { withCacheDirectory } from '../sys/cache-directory.ts'
import { ANSWER_FD, type ChildArguments, type ChildLine } from './run-child.ts'
import { openHooks } from './source.ts'

/** The time that a program gets to start its work. */
const HEAD_START_MS = 50

const {
  hooks: file,
  image,
  destination,
  cache,
  killAfter,
  killDuring
} = JSON.parse(process.argv[2]!) as ChildArguments

let ended = 0
const set = await openHooks(file)
const hooks = withTrace(killedDuring(set), (call) => {
  say({ call })
  ended++
  if (ended === killAfter) die()
})
try {
  await withCacheDirectory(cache, () => unpack({ image, destination, hooks }))
  say({ done: true })
} catch (error) {
  say({ error: toErrorRecord(error) })
} finally {
  await set.close()
}

/** It does not matter if a hook has answered by then. */
function killedDuring(asked: HookSet): HookSet {
  let begun = 0
  return {
    ...asked,
    async call(point, context, signal) {
      if (asked.points.has(point)) begun++
      const outcome = asked.call(point, context, signal)
      if (begun !== killDuring) return outcome
      await Promise.race([outcome.catch(() => undefined), setTimeout(HEAD_START_MS)])
      say({ during: hookName(point) })
      return die()
    }
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('[internal] still running after SIGKILL')
}

/** Writes at once, because anything in a pipe of Node would be lost with the process. */
function say(line: ChildLine): void {
  writeSync(ANSWER_FD, `${JSON.stringify(line)}\n`)
}
