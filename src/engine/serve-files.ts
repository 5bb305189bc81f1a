/** Serves files of an image as network block devices. */
import { resolve } from 'node:path'
import { toText } from '../bytes.ts'
import { OciUnpackError, type Facts } from '../errors.ts'
import { exportName, isExportName } from '../nbd/export.ts'
import { nbdUri, type Address } from '../nbd/uri.ts'
import { searchForPath } from './files/file-search.ts'
import { DISK_SEARCH } from './files/find-disk.ts'
import { openImageFiles, type ImageFileOptions, type OpenedFiles } from './files/image-file.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import { serve, type Place, type ServedFile, type Serving } from './server/serve.ts'

export interface ServeFilesOptions extends Omit<ImageFileOptions, 'path'> {
  /** Regular files of the image; links are followed inside the image only. The first is the default export. */
  paths?: readonly string[]
  /** Also serve the only regular file in the directory `/disk`, as the default export. */
  disk?: boolean
  /** Path of a Unix socket, which is made for this user only. Default: a temporary one. */
  socket?: string
  /** Instead of a socket, a TCP port on 127.0.0.1, which all users of this machine can reach; 0 for any that is free. */
  port?: number
}

/** A server that listens. */
export interface FileServer {
  /** The absolute path of its socket, or host and port. */
  readonly address: Address
  readonly exports: readonly ServedExport[]
  /** The URI of the default export. */
  readonly uri: string
  /** Resolves when the server has closed: after `close`, or because of the signal. */
  readonly closed: Promise<void>
  /** Lets clients have what they asked for, for at most two seconds, and removes the socket. May be called again. */
  close(): Promise<void>
}

export interface ServedExport {
  /** The path in the image, without `/` or `./` at its beginning. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  readonly uri: string
}

/**
 * Serves files read-only by the NBD protocol, to many clients at once. Resolves when it listens. When reading fails, the client
 * is told, and an event of the type `warning` is sent. The signal also closes a server that listens.
 * @throws OciUnpackError with a stable `code`
 */
export async function serveFiles(options: ServeFilesOptions): Promise<FileServer> {
  requireOptions(options, { image: 'text' }, SERVE_OPTIONS)
  const place = placeOf(options)
  const { paths = [], disk = false } = options
  const names = namesOf(paths)
  if (names.length === 0 && !disk) throw nothing()
  const { signal, onEvent = () => undefined } = options
  return asked({ image: options.image }, async () => {
    const searches = [...(disk ? [DISK_SEARCH] : []), ...names.map(searchForPath)]
    const opened = await openImageFiles(options, searches)
    try {
      throwIfAborted(signal)
      const files = servedFiles(opened, disk, names)
      const onFailure = failuresTo(onEvent)
      const serving = await serve(files, place, { onLeftover: leftoverTo(onEvent), onFailure })
      return handleOf(serving, files, opened, signal)
    } catch (error) {
      await opened.close()
      throw error
    }
  })
}

const SERVE_OPTIONS = { paths: 'list', socket: 'text', index: 'text' } as const

/** @throws USAGE */
function placeOf({ socket, port }: ServeFilesOptions): Place {
  if (socket !== undefined && port !== undefined)
    throw new OciUnpackError('USAGE', 'A server has a socket or a port, but not both.', {
      hint: 'Give either {socket} or {port}.'
    })
  if (socket === '') throw new OciUnpackError('USAGE', 'The path of the socket is empty.')
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 0xffff))
    throw new OciUnpackError('USAGE', 'A port is a whole number up to 65535.', {
      facts: { found: String(port) }
    })
  return { port, socket: socket === undefined ? undefined : resolve(socket) }
}

/** @throws USAGE */
function namesOf(paths: readonly string[]): string[] {
  const other: unknown = paths.find((path: unknown) => typeof path !== 'string')
  if (other !== undefined) throw notText(other)
  const names = [...new Set(paths.map(exportName))]
  const wrong = names.find((name) => !isExportName(name))
  if (wrong === undefined) return names
  throw new OciUnpackError('USAGE', 'This path cannot be the name of an export.', {
    facts: { expected: '1 to 4096 bytes without NUL', found: `${Buffer.byteLength(wrong)} bytes` }
  })
}

function notText(found: unknown): OciUnpackError {
  return new OciUnpackError('USAGE', 'The path of a file to serve must be text.', {
    facts: { found: typeof found }
  })
}

function nothing(): OciUnpackError {
  return new OciUnpackError('USAGE', 'There is nothing to serve: no path is given.', {
    hint: 'Give a path, or {disk} for the only file in /disk.'
  })
}

type Files = readonly [ServedFile, ...ServedFile[]]

/** The name of the disk is its path, by which it may have been asked for, too. @throws USAGE */
function servedFiles({ files }: OpenedFiles, disk: boolean, names: readonly string[]): Files {
  const all = disk ? [toText(files[0]!.path) ?? '', ...names] : names
  const served = namesOf(all).map((name) => {
    const { file } = files[all.indexOf(name)]!
    return { name, size: file.size, file }
  })
  return served as [ServedFile, ...ServedFile[]]
}

function handleOf(
  serving: Serving,
  files: Files,
  opened: OpenedFiles,
  signal: AbortSignal | undefined
): FileServer {
  let end = (): void => undefined
  const closed = new Promise<void>((resolve) => (end = resolve))
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort)
    try {
      await serving.close()
    } finally {
      await opened.close().finally(end)
    }
  }
  const abort = (): void => void close()
  signal?.addEventListener('abort', abort)
  const { address } = serving
  const exports = files.map(({ name, size }) => ({ name, size, uri: nbdUri(address, name) }))
  return { address, exports, uri: nbdUri(address, ''), closed, close }
}

/** Of the failure, with what it was as the reason. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof OciUnpackError)) return { reason: String(error) }
  const { code, message, facts } = error
  const reason = [message, ...(facts.reason === undefined ? [] : [facts.reason])].join(' ')
  return { ...facts, reason: `${reason} [${code}]` }
}

/** Clients repeat what fails, so each kind of failure is told once for each file. */
function failuresTo(
  onEvent: OnEvent
): (served: ServedFile, error: unknown, offset: number) => void {
  const told = new Set<string>()
  return ({ name }, error, offset) => {
    const reason = error instanceof Error ? error.message : String(error)
    const key = `${name}\0${reason}`
    if (told.has(key)) return
    told.add(key)
    onEvent({
      type: 'warning',
      message: 'A file could not be read for a client.',
      facts: { ...factsOf(error), entry: name, offset }
    })
  }
}
