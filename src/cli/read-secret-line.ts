/** Reads a secret from an open file descriptor, so that it is neither an argument nor in the environment. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { OciUnpackError } from '../errors.ts'

const LIMIT_BYTES = 65_536

/**
 * The first line, without its end. The descriptor is closed, apart from standard input. A pipe can be waited for, until
 * the signal fires.
 * @throws USAGE, ABORTED
 */
export async function readSecretLine(descriptor: number, signal: AbortSignal): Promise<string> {
  if (isatty(descriptor))
    throw unusable(descriptor, 'it is a terminal, which would show what is typed')
  const bytes = isPipe(descriptor) ? await readPipe(descriptor, signal) : readWhole(descriptor)
  const end = bytes.indexOf('\n')
  if (end < 0 && bytes.length >= LIMIT_BYTES)
    throw unusable(descriptor, 'its first line is too long')
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).replace(/\r$/, '')
}

function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor)
    return stat.isFIFO() || stat.isSocket()
  } catch (cause) {
    throw unusable(descriptor, 'it is not open', cause)
  }
}

function readWhole(descriptor: number): Buffer {
  try {
    const bytes = Buffer.alloc(LIMIT_BYTES)
    const length = readSync(descriptor, bytes)
    if (descriptor > 2) closeSync(descriptor)
    return bytes.subarray(0, length)
  } catch (cause) {
    throw unusable(descriptor, 'it cannot be read', cause)
  }
}

/** Without a thread of Node, which would keep the program from ending while nothing comes. */
async function readPipe(descriptor: number, signal: AbortSignal): Promise<Buffer> {
  const isInput = descriptor === 0
  const pipe = isInput
    ? process.stdin
    : new Socket({ fd: descriptor, readable: true, writable: false })
  const stop = (): void => {
    pipe.destroy(new OciUnpackError('ABORTED', 'The operation was stopped.'))
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  const pieces: Buffer[] = []
  try {
    for await (const piece of pipe as AsyncIterable<Buffer>) {
      pieces.push(piece)
      const length = pieces.reduce((sum, { length }) => sum + length, 0)
      if (piece.includes('\n') || length >= LIMIT_BYTES) break
    }
    return Buffer.concat(pieces)
  } catch (cause) {
    throw cause instanceof OciUnpackError ? cause : unusable(descriptor, 'it cannot be read', cause)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function unusable(descriptor: number, reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError(
    'USAGE',
    `The credentials cannot be read from descriptor ${descriptor}.`,
    {
      facts: { reason },
      hint: 'Open it for this program, as in: 3< FILE, or give {registry.credentials} another way.',
      ...(cause === undefined ? {} : { cause })
    }
  )
}
