/** A stream that compresses what is written to it. */
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Compressor, Output } from './compressor.ts'

/**
 * A write resolves when its bytes are taken; reading goes on by itself. A failure of either side rejects both calls.
 */
export function flowThrough(
  input: Writable,
  result: Readable,
  output: Output
): Pick<Compressor, 'write' | 'end'> {
  const failure = failureOf(input)
  const drained = Promise.race([drain(result, output), failure])
  for (const watched of [failure, drained]) watched.catch(() => undefined)
  return {
    async write(chunk) {
      await Promise.race([accepted((done) => input.write(chunk, done)), drained])
      return chunk
    },
    async end() {
      const ended = accepted((done) => input.end(done))
      await Promise.all([Promise.race([ended, failure]), drained])
    }
  }
}

function drain(result: Readable, output: Output): Promise<void> {
  result.on('data', (bytes: Buffer) => {
    try {
      output(bytes)
    } catch (error) {
      result.destroy(error as Error)
    }
  })
  return finished(result, { writable: false })
}

/** The input of a program that ends is closed, and Node does not tell that to those who wait for its `end`. */
function failureOf(input: Writable): Promise<never> {
  return new Promise((_resolve, reject) => {
    input.once('error', reject)
    input.once('close', () => {
      if (!input.writableFinished) reject(closed())
    })
  })
}

function closed(): Error {
  const code = 'ERR_STREAM_DESTROYED'
  return Object.assign(new Error('The input was closed before its end.'), { code })
}

type Done = (error?: Error | null) => void

function accepted(send: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    send((error) => (error ? reject(error) : resolve()))
  })
}
