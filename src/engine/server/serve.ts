/** A server for open files: it listens, answers clients, and leaves nothing behind. */
import type { Export } from '../../nbd/export.ts'
import type { Address } from '../../nbd/uri.ts'
import type { OnLeftover } from '../../workspace/leftovers.ts'
import type { OpenedFile } from '../files/image-file.ts'
import { Clients, type ClientsOptions } from './clients.ts'
import { listenOnPort, LOOPBACK } from './listen.ts'
import { listenOnSocket, listenOnTemporarySocket } from './socket-file.ts'
import { Source } from './source.ts'

export interface ServedFile extends Export {
  readonly file: OpenedFile
}

/** Where to listen: on a port of the loopback interface, or on a socket, which by default has a temporary path. */
export interface Place {
  readonly port: number | undefined
  /** Absolute path. */
  readonly socket: string | undefined
}

export interface ServeOptions extends Pick<ClientsOptions, 'patience'> {
  readonly onLeftover: OnLeftover
  /** Told of each failure to read, with the offset in bytes at which the reading began. */
  readonly onFailure: (served: ServedFile, error: unknown, offset: number) => void
}

export interface Serving {
  readonly address: Address
  /** What is being answered may take two seconds more. The files stay open. May be called again. */
  close(): Promise<void>
}

const GRACE_MS = 2_000

/** @param files the first is the default export. @throws USAGE, TARGET_INVALID, TARGET_BUSY, SYSCALL_FAILED */
export async function serve(
  files: readonly [ServedFile, ...ServedFile[]],
  place: Place,
  options: ServeOptions
): Promise<Serving> {
  const clients = new Clients({ ...options, exports: files, sourceOf: sourcesOf(files, options) })
  try {
    return await listen(clients, place, options.onLeftover)
  } catch (error) {
    await clients.close(0)
    throw error
  }
}

async function listen(clients: Clients, place: Place, onLeftover: OnLeftover): Promise<Serving> {
  if (place.port !== undefined) {
    const port = await listenOnPort(clients.server, place.port)
    return { address: { host: LOOPBACK, port }, close: () => clients.close(GRACE_MS) }
  }
  const file =
    place.socket === undefined
      ? await listenOnTemporarySocket(clients.server, onLeftover)
      : await listenOnSocket(clients.server, place.socket, onLeftover)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= clients.close(GRACE_MS).finally(() => file.remove()))
  return { address: { socket: file.path }, close }
}

function sourcesOf(
  files: readonly ServedFile[],
  { onFailure }: ServeOptions
): (chosen: Export) => Source {
  const sources = new Map<Export, Source>(
    files.map((served) => [
      served,
      new Source(served.file, (error, offset) => onFailure(served, error, offset))
    ])
  )
  return (chosen) => sources.get(chosen)!
}
