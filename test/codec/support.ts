import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { probeDecompressors } from '../../src/codec/choice.ts'
import type { Program } from '../../src/codec/programs.ts'
import type { CompressedInput, Source } from '../../src/codec/source.ts'
import { OciUnpackError, type ErrorCode } from '../../src/errors.ts'

let folder: string | undefined

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true })
  folder = undefined
})

/** A file of the test's own, removed at its end. */
export function temporaryFile(name: string, content: string | Uint8Array, mode = 0o644): string {
  folder ??= mkdtempSync(join(tmpdir(), 'codec-test-'))
  const path = join(folder, name)
  writeFileSync(path, content, { mode })
  return path
}

/** Chunks in one reused buffer that is spoilt before each new one, as the contract allows. */
export function sourceOf(bytes: Uint8Array, chunkBytes = 1 << 16): Source & { consumed(): number } {
  const buffer = Buffer.alloc(chunkBytes)
  let at = 0
  const next = (): Buffer | undefined => {
    buffer.fill(0xaa)
    if (at >= bytes.length) return undefined
    const chunk = bytes.subarray(at, at + chunkBytes)
    at += chunk.length
    buffer.set(chunk)
    return buffer.subarray(0, chunk.length)
  }
  return Object.assign(next, { consumed: () => at })
}

let files = 0

export interface TestInput extends CompressedInput {
  readonly fd: number
  consumed(): number
}

export function inputOf(bytes: Uint8Array, chunkBytes?: number): TestInput {
  const source = sourceOf(bytes, chunkBytes)
  const fd = openSync(temporaryFile(`blob-${files++}`, bytes), 'r')
  return { fd, size: bytes.length, read: source, consumed: () => source.consumed() }
}

/** What came out, or the code of the error that did. */
export interface Outcome {
  readonly bytes: number
  readonly sha256: string
  readonly error: ErrorCode | undefined
}

export async function outcomeOf(chunks: AsyncIterable<Buffer>): Promise<Outcome> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error
    return { bytes: 0, sha256: '', error: error.code }
  }
  return { bytes, sha256: hash.digest('hex'), error: undefined }
}

export function expected(content: Uint8Array): Outcome {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { bytes: content.length, sha256, error: undefined }
}

export function refused(error: ErrorCode): Outcome {
  return { bytes: 0, sha256: '', error }
}

/** A program from PATH, or undefined where this machine lacks it. */
export function installed(name: string): Program | undefined {
  try {
    const choice = probeDecompressors(name, process.env)
    const program = name === 'zstd' ? choice.zstd : choice.gzip
    return program === 'isal' ? undefined : program
  } catch {
    return undefined
  }
}

/** The output of a program that reads `input`. */
export function filter(program: string, args: readonly string[], input: Uint8Array): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] })
}
