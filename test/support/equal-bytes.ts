/** Buffers are compared as bytes, which takes no time: element by element, `toEqual` takes seconds for a megabyte. */
import { expect } from 'vitest'

expect.addEqualityTesters([
  (one: unknown, other: unknown): boolean | undefined =>
    Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : undefined
])
