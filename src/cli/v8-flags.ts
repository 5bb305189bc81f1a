/**
 * Flags of V8 that suit a program which runs for seconds. They count for the whole process, so the library does not touch
 * them (docs/decisions/2026-11-29-serial-tail.md, docs/decisions/2026-11-29-one-layer-on-all-cores.md).
 */
import { setFlagsFromString } from 'node:v8'

const FLAGS = [
  // What this program keeps of an image it keeps to the end, so a larger young generation saves no collections; but it
  // takes 32 MB in Node 20 and 128 MB in Node 24.
  '--semi-space-growth-factor=1',
  // Optimised code that contains less of what it calls is made in half the time, in every thread, and is as fast.
  '--max-inlined-bytecode-size-cumulative=200'
]

/** The newest version that is known to have the flags: V8 complains on stderr about those that it does not have. */
const NEWEST_MAJOR = 26

export function setV8Flags(): void {
  const [major] = process.versions.node.split('.')
  if (Number(major) <= NEWEST_MAJOR) for (const flag of FLAGS) setFlagsFromString(flag)
}
