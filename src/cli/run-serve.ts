/** Runs `file serve`. */
import { aborted, OciUnpackError } from '../errors.ts'
import { serveFiles, type FileServer } from '../index.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { wholeNumber } from './flag-values.ts'
import { withPidFile } from './pid-file.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'
import { imageOptions } from './image-options.ts'
import { output as standardOutput } from './streams.ts'

export const runFileServe: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  const command = text(input, 'run')
  const place = placeOf(input)
  for (const name of ['pid-file', 'run']) assertNotEmpty(input, name)
  return withEvents(terminal, async (onEvent, clear) => {
    const paths = input.positionals
    const index = text(input, 'index')
    const options = imageOptions(input, terminal, onEvent)
    const server = await serveFiles({
      ...options,
      ...registry,
      ...place,
      ...(index === undefined ? {} : { index }),
      disk: isSet(input, 'disk'),
      paths
    })
    try {
      clear()
      return await withPidFile(text(input, 'pid-file'), () =>
        command === undefined ? wait(server, terminal) : accompany(server, command, terminal)
      )
    } finally {
      await server.close()
    }
  })
}

/** @throws USAGE */
function assertNotEmpty(input: Input, name: string): void {
  if (text(input, name) !== '') return
  throw new OciUnpackError('USAGE', `The value of --${name} is empty.`)
}

/** Nobody could find a temporary socket but a command that is told. @throws USAGE */
function placeOf(input: Input): { socket?: string; port?: number } {
  const socket = text(input, 'socket')
  const port = wholeNumber(input, 'port')
  if (socket === undefined && port === undefined && text(input, 'run') === undefined)
    throw new OciUnpackError('USAGE', 'The server needs a place to listen.', {
      hint: 'Give --socket, --port or --run.'
    })
  return {
    ...(socket === undefined ? {} : { socket }),
    ...(port === undefined ? {} : { port })
  }
}

/** Clients need the server, whether or not anybody reads where it is. @throws ABORTED */
async function wait({ exports, closed }: FileServer, terminal: Terminal): Promise<number> {
  standardOutput.mayLoseReader = true
  for (const { uri } of exports) terminal.out(`${uri}\n`)
  await closed
  throw aborted(terminal.signal.reason)
}

/** Returns the exit status of the command. @throws ABORTED */
async function accompany(
  { uri, address }: FileServer,
  command: string,
  { signal }: Terminal
): Promise<number> {
  const { runShell } = await import('./run-shell.ts')
  const variables = {
    uri,
    nbd: uri,
    unixsocket: address.socket ?? '',
    port: address.port === undefined ? '' : String(address.port),
    exportname: ''
  }
  const status = await runShell(command, variables, signal)
  if (signal.aborted) throw aborted(signal.reason)
  return status
}
