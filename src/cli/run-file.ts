/** Runs `file list`, `file cat` and `file extract`. */
import {
  catFile,
  extractFiles,
  listFiles,
  type EngineEvent,
  type ImageOptions,
  type ListedFile
} from '../index.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { limits, platformOption, required, wholeNumber } from './flag-values.ts'
import { formatFileJson, formatFileLong, formatFileName, formatFileNull } from './format-file.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runFileList: Run = async (input, terminal) => {
  const path = input.positionals[0]
  const registry = await registryOption(input, terminal)
  const { files } = await withEvents(terminal, (onEvent) =>
    listFiles({
      ...imageOptions(input, terminal, onEvent),
      ...registry,
      ...(path === undefined ? {} : { path })
    })
  )
  await writeAll(terminal, files, formatOf(input))
}

export const runFileCat: Run = async (input, terminal) => {
  const path = input.positionals[0] ?? ''
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent, clear) => {
    const write = async (bytes: Uint8Array): Promise<void> => {
      clear()
      terminal.out(bytes)
      await terminal.written()
    }
    return catFile({ ...imageOptions(input, terminal, onEvent), ...registry, path, write })
  })
}

export const runFileExtract: Run = async (input, terminal) => {
  const paths = input.positionals.slice(0, -1)
  const destination = input.positionals.at(-1) ?? ''
  const overwrite = isSet(input, 'overwrite')
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    extractFiles({
      ...imageOptions(input, terminal, onEvent),
      ...registry,
      paths,
      destination,
      overwrite
    })
  )
}

export function imageOptions(
  input: Input,
  { signal }: Terminal,
  onEvent: (event: EngineEvent) => void
): ImageOptions {
  const jobs = wholeNumber(input, 'jobs')
  const decompressor = text(input, 'decompressor')
  return {
    image: required(input, 'image'),
    ...platformOption(input),
    ...(jobs === undefined ? {} : { jobs }),
    ...(decompressor === undefined ? {} : { decompressor }),
    keepDirlinks: isSet(input, 'keep-dirlinks'),
    limits: limits(input),
    signal,
    onEvent
  }
}

function formatOf(input: Input): (file: ListedFile) => Uint8Array | string {
  if (isSet(input, 'json')) return formatFileJson
  if (isSet(input, 'null')) return formatFileNull
  return isSet(input, 'long') ? formatFileLong : formatFileName
}

/** Enough for one call to the kernel. */
const CHUNK = 65_536

async function writeAll(
  terminal: Terminal,
  files: Iterable<ListedFile>,
  format: (file: ListedFile) => Uint8Array | string
): Promise<void> {
  let pieces: Uint8Array[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    terminal.out(Buffer.concat(pieces))
    ;[pieces, bytes] = [[], 0]
    await terminal.written()
  }
  for (const file of files) {
    const piece = Buffer.from(format(file) as string)
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= CHUNK) await flush()
    if (terminal.signal.aborted) return
  }
  await flush()
}
