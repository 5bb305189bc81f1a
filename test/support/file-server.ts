/** `file serve` in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { recordRun } from './run-record.ts'

export interface FileServerProcess {
  readonly pid: number
  /** What it printed when it listened. */
  readonly uris: readonly string[]
  /** Resident memory in KiB. */
  memory(): number
  /** Its exit status, and what it wrote to standard error. */
  end(signal: NodeJS.Signals): Promise<{ status: number | null; stderr: string }>
}

/** @param exports how many URIs it prints */
export async function startFileServer(
  exports: number,
  ...args: string[]
): Promise<FileServerProcess> {
  const words = [...ociUnpackCommand, 'file', 'serve', ...args]
  const child = spawn(words[0]!, words.slice(1))
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const ended = once(child, 'close')
  const uris = await lines(child, exports)
  if (uris.length < exports) throw new Error(`file serve did not start: ${stderr}`)
  return {
    pid: child.pid!,
    uris,
    memory: () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]),
    end: async (signal) => {
      child.kill(signal)
      const [status] = (await ended) as [number | null]
      recordRun(words, status)
      return { status, stderr }
    }
  }
}

/** Fewer if it ends before. */
async function lines(child: ChildProcess, count: number): Promise<string[]> {
  const found: string[] = []
  for await (const line of createInterface(child.stdout!)) {
    found.push(line)
    if (found.length === count) break
  }
  return found
}
