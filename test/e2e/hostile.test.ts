/** Hostile and damaged images, unpacked by root. */
import { describe, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { expectRefused } from './expect-refused.ts'
import { HOSTILE_CASES } from './hostile-images.ts'

describe.runIf(needs('root', 'python3'))(
  'ends in an error that leaves everything as it was:',
  () => {
    test.each(HOSTILE_CASES)('$name', (hostile) => {
      expectRefused(hostile)
    })
  }
)
