/** Compression by an external program. */
import { spawn } from 'node:child_process'
import { OciUnpackError } from '../errors.ts'
import { exitOf } from './child-exit.ts'
import type { Compressor, Output } from './compressor.ts'
import { flowThrough } from './flow-through.ts'
import { environment, type Program } from './programs.ts'

/** @param program a filter: uncompressed bytes on standard input, compressed ones on standard output */
export function compressByProgram({ path, args }: Program, output: Output): Compressor {
  // in a group of its own: Ctrl-C is for this process, which then ends the program
  const child = spawn(path, args, { stdio: 'pipe', env: environment(), detached: true })
  const exit = exitOf(child)
  const flow = flowThrough(child.stdin, child.stdout, output)
  const failure = async (error: unknown): Promise<never> => {
    child.kill('SIGKILL')
    const ended = await exit
    if (!isBroken(error)) throw error
    throw failed(path, ended.kind === 'clean' ? 'it ended early' : ended.reason, error)
  }
  return {
    write: (chunk) => flow.write(chunk).catch(failure),
    async end() {
      await flow.end().catch(failure)
      const ended = await exit
      if (ended.kind !== 'clean') throw failed(path, ended.reason)
    },
    async stop() {
      child.kill('SIGKILL')
      await exit
    }
  }
}

/** Whether a stream failed because the program has ended. Any other error comes from the receiver of the output. */
function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === 'EPIPE' || code.startsWith('ERR_STREAM_')
}

function failed(path: string, reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('COMPRESSOR_FAILED', `The compressor ${path} failed.`, {
    facts: { path, reason },
    ...(cause === undefined ? {} : { cause })
  })
}
