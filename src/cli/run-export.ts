/** Runs `file export` and `file index`. */
import { fstatSync, statSync, type Stats } from 'node:fs'
import { display, fromBuffer, toText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import {
  exportFile,
  indexLayers,
  type ExportFileOptions,
  type ExportFileResult,
  type IndexedLayer
} from '../index.ts'
import { isErrno } from '../sys/failure.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'
import { imageOptions } from './image-options.ts'
import { output as standardOutput } from './streams.ts'

export const runFileExport: Run = async (input, terminal) => {
  const { path, output } = placesOf(input)
  const isJson = isSet(input, 'json')
  const isStandard = output !== undefined && namesStandardOutput(output)
  if (isStandard && isJson)
    throw new OciUnpackError('USAGE', 'The file and --json cannot both go to standard output.', {
      hint: 'Give a new file as OUTPUT, or leave it out to see only the description.'
    })
  if (isStandard && standardOutput.isTTY)
    throw new OciUnpackError('USAGE', 'A terminal is not a place for the content of a file.', {
      hint: 'Give OUTPUT, or redirect standard output.'
    })
  const registry = await registryOption(input, terminal)
  const result = await withEvents(terminal, (onEvent) =>
    toOutput({
      ...imageOptions(input, terminal, onEvent),
      ...registry,
      ...(path === undefined ? { disk: true } : { path }),
      ...(output === undefined ? {} : { output: isStandard ? descriptorOr(output) : output }),
      inflate: isSet(input, 'inflate'),
      stopEarly: isSet(input, 'stop-early')
    })
  )
  if (isJson) terminal.out(`${JSON.stringify(described(result))}\n`)
  else if (path === undefined && !isStandard) terminal.out(`${line(result)}\n`)
  await terminal.written()
}

const STANDARD_OUTPUT = 1

/** By any name: /dev/stdout, the FIFO that it is, the device that it was redirected to. */
function namesStandardOutput(output: string): boolean {
  if (output === '-') return true
  const [named, open] = [statusOf(output), fstatSync(STANDARD_OUTPUT)]
  if (named === undefined) return false
  if (named.isBlockDevice()) return open.isBlockDevice() && named.rdev === open.rdev
  return named.dev === open.dev && named.ino === open.ino
}

/** What cannot be looked at is judged where it is opened. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** A device is opened by its name to be seen as one, and an existing file to be refused. */
function descriptorOr(output: string): string | number {
  const status = output === '-' ? undefined : statusOf(output)
  return status?.isBlockDevice() === true || status?.isFile() === true ? output : STANDARD_OUTPUT
}

/** The exit status is that of a program that writes to a pipe without a reader. */
async function toOutput(options: ExportFileOptions): Promise<ExportFileResult> {
  try {
    return await exportFile(options)
  } catch (error) {
    if (options.output === STANDARD_OUTPUT && isErrno(error, 'EPIPE'))
      standardOutput.failed(
        Object.assign(new Error('EPIPE: broken pipe, write'), { code: 'EPIPE' })
      )
    throw error
  }
}

interface Places {
  /** Undefined with --disk. */
  path: string | undefined
  /** Undefined: the file is only described. */
  output: string | undefined
}

/** @throws USAGE */
function placesOf(input: Input): Places {
  const isDisk = isSet(input, 'disk')
  const [first, second] = input.positionals
  if (isDisk && second !== undefined)
    throw new OciUnpackError('USAGE', 'With --disk, no PATH can be given.')
  if (!isDisk && first === undefined)
    throw new OciUnpackError('USAGE', 'A PATH in the image, or --disk, must be given.')
  const output = (isDisk ? first : second) ?? (isSet(input, 'json') ? undefined : '-')
  return { path: isDisk ? undefined : first, output }
}

/** A name that is not UTF-8 appears twice, as in `file list --json`. */
function described({ path, ...rest }: ExportFileResult): object {
  const name = toText(fromBuffer(path))
  const names =
    name === undefined
      ? { path: display(fromBuffer(path)), pathBase64: Buffer.from(path).toString('base64') }
      : { path: name }
  return { ...names, ...rest }
}

function line({ path, disk, compression, outputSize }: ExportFileResult): string {
  const format = [compression, disk?.format].filter((it) => it !== undefined).join(', ')
  const size = disk?.virtualSize
  const shown = size === undefined || size === outputSize ? '' : `, virtual size ${size} bytes`
  return `${display(fromBuffer(path))}: ${format}, ${outputSize} bytes${shown}`
}

export const runFileIndex: Run = async (input, terminal) => {
  const index = text(input, 'index')
  const registry = await registryOption(input, terminal)
  const { layers } = await withEvents(terminal, (onEvent) =>
    indexLayers({
      ...imageOptions(input, terminal, onEvent),
      ...registry,
      ...(index === undefined ? {} : { index })
    })
  )
  await printIndexes(layers, terminal, isSet(input, 'json'))
}

async function printIndexes(
  layers: readonly IndexedLayer[],
  terminal: Terminal,
  isJson: boolean
): Promise<void> {
  if (isJson) for (const layer of layers) terminal.out(`${JSON.stringify(layer)}\n`)
  else
    for (const { digest, size, tarSize, file } of layers)
      terminal.out(`${digest} ${size} ${tarSize} ${display(fromBuffer(Buffer.from(file)))}\n`)
  await terminal.written()
}
