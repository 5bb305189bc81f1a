/** The small programs that --userns needs: run to their end, without a shell. */
import { execFile } from 'node:child_process'

export interface Outcome {
  /** Undefined if the program was not found. */
  status: number | undefined
  stdout: string
  stderr: string
}

export function runProgram(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      const isMissing = error?.code === 'ENOENT'
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ status: isMissing ? undefined : status, stdout, stderr })
    })
  })
}

/** What the program prints; undefined if it fails or is missing. */
export async function outputOf(
  program: string,
  args: readonly string[]
): Promise<string | undefined> {
  const { status, stdout } = await runProgram(program, args)
  return status === 0 ? stdout : undefined
}
