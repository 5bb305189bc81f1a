/**
 * Programs that keep credentials: `docker-credential-NAME get` reads a server from its input and prints JSON
 * (github.com/docker/docker-credential-helpers). Started without a shell.
 */
import { execFile, type ExecFileException } from 'node:child_process'
import { aborted } from '../errors.ts'
import { namedCredentials } from './auth-entry.ts'
import {
  helperFailed,
  helperNameInvalid,
  isHelperName,
  programOf,
  type NamedProgram
} from './credentials-errors.ts'
import type { RegistryCredentials } from './registry.ts'

export interface HelperCall extends NamedProgram {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
  /** Milliseconds. A program may ask the user for a passphrase. */
  readonly patience?: number | undefined
}

/** `unknown`: the program has none for this server. `no program`: there is no such program. */
export type HelperAnswer = RegistryCredentials | 'unknown' | 'no program'

const PATIENCE_MS = 120_000
const LIMIT_BYTES = 1024 * 1024
/** What every helper prints where it has nothing, with a status that is not 0. */
const NOT_FOUND = 'credentials not found in native keychain'

/** @throws CREDENTIAL_HELPER_FAILED, ABORTED */
export async function askHelper(call: HelperCall): Promise<HelperAnswer> {
  if (!isHelperName(call.name)) throw helperNameInvalid(call)
  const { failure, output } = await run(call)
  if (failure === null) return parseAnswer(output, call)
  if (call.signal?.aborted === true) throw aborted(call.signal.reason)
  if (failure.code === 'ENOENT') return 'no program'
  if (failure.killed !== true && output.includes(NOT_FOUND)) return 'unknown'
  throw helperFailed(call, reasonOf(failure))
}

interface Outcome {
  failure: ExecFileException | null
  output: string
}

/** Its standard error is read, but not used. */
function run({ name, server, env, signal, patience = PATIENCE_MS }: HelperCall): Promise<Outcome> {
  const options = { env, signal, timeout: patience, maxBuffer: LIMIT_BYTES } as const
  return new Promise((resolve) => {
    const child = execFile(
      programOf(name),
      ['get'],
      { ...options, encoding: 'utf8', killSignal: 'SIGKILL' },
      (failure, output) => resolve({ failure, output })
    )
    child.stdin?.on('error', () => undefined) // it need not read it
    child.stdin?.end(`${server}\n`)
  })
}

/** The message would contain what the program printed. */
function reasonOf({ code, killed }: ExecFileException): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'it printed too much'
  if (typeof code === 'number') return `it ended with ${code}`
  if (typeof code === 'string') return `it cannot be started: ${code}`
  return killed === true ? 'it took too long' : 'a signal ended it'
}

/** Nothing of a wrong answer is shown. */
function parseAnswer(output: string, call: HelperCall): HelperAnswer {
  const { Username: user, Secret: secret } = parse(output) ?? {}
  if (typeof user !== 'string' || typeof secret !== 'string')
    throw helperFailed(call, 'its answer is not JSON with Username and Secret')
  return user === '' ? 'unknown' : namedCredentials(user, secret)
}

function parse(output: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(output) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
