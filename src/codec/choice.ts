/** The choice of a decompressor. */
import { basename, isAbsolute } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { IsalInflater } from '../sys/isal.ts'
import { executable, findOnPath, type Program } from './programs.ts'
import { HAS_NATIVE_ZSTD } from './unzstd.ts'
import { MAX_WINDOW_LOG } from './zstd-frames.ts'

/**
 * Which program inflates which format; undefined means Node itself. Plain data, so that it can go to worker threads.
 */
export interface DecompressorChoice {
  /** `isal`: with the ISA-L library, in this process. */
  readonly gzip: Program | 'isal' | undefined
  readonly zstd: Program | undefined
}

/** Node itself inflates everything. */
export const BY_NODE: DecompressorChoice = { gzip: undefined, zstd: undefined }

const FORMATS = {
  igzip: 'gzip',
  unpigz: 'gzip',
  pigz: 'gzip',
  gzip: 'gzip',
  zstd: 'zstd'
} as const

type ProgramName = keyof typeof FORMATS

/** The values of the option `decompressor`, for help texts and messages. */
export const DECOMPRESSOR_VALUES =
  'auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path'

/**
 * Looks for decompressors once, on the main thread.
 *
 * - `auto`: for gzip the ISA-L library if this machine has it, otherwise `igzip` if it is in PATH; `zstd` if this Node
 * cannot decode Zstandard. `unpigz` is not used, because it is slower than node:zlib
 * (docs/decisions/2026-11-21-decompressors.md).
 * - `none`: only Node.
 * - `isal`: only that library.
 * - a name or an absolute path: that program for its format (a path with an unknown name is used for gzip and must
 * accept `-dc`); the other format is treated as with `auto`.
 *
 * @throws USAGE for other values, DECOMPRESSOR_UNAVAILABLE for a program that does not exist
 */
export function probeDecompressors(
  request: string,
  env: { readonly PATH?: string | undefined },
  isLibraryThere: () => boolean = hasIsal
): DecompressorChoice {
  if (request === 'none') return BY_NODE
  const hasLibrary = isLibraryThere()
  if (request === 'isal' && !hasLibrary) throw unavailable(request)
  const automatic = {
    gzip: hasLibrary ? ('isal' as const) : find('igzip', env.PATH),
    zstd: HAS_NATIVE_ZSTD ? undefined : find('zstd', env.PATH)
  }
  if (request === 'auto' || request === 'isal') return automatic
  const path = isAbsolute(request) ? executable(request) : named(request, env.PATH)
  if (path === undefined) throw unavailable(request)
  return { ...automatic, [formatOf(request)]: program(path) }
}

function hasIsal(): boolean {
  return IsalInflater.isThere()
}

function named(request: string, searchPath: string | undefined): string | undefined {
  if (Object.hasOwn(FORMATS, request)) return findOnPath(request, searchPath)
  throw new OciUnpackError('USAGE', `"${request}" is not a decompressor.`, {
    hint: `Set {decompressor} to ${DECOMPRESSOR_VALUES}.`
  })
}

function unavailable(request: string): OciUnpackError {
  return new OciUnpackError(
    'DECOMPRESSOR_UNAVAILABLE',
    `The decompressor ${request} is not installed.`,
    {
      facts: { path: request },
      hint: 'Install it, or set {decompressor} to auto or none, which need no program.'
    }
  )
}

function find(name: ProgramName, searchPath: string | undefined): Program | undefined {
  const path = findOnPath(name, searchPath)
  return path === undefined ? undefined : program(path)
}

function program(path: string): Program {
  return { path, args: formatOf(path) === 'zstd' ? ['-dcq', `-M${MAX_WINDOW_MIB}M`] : ['-dc'] }
}

const MAX_WINDOW_MIB = 2 ** (MAX_WINDOW_LOG - 20)

function formatOf(path: string): 'gzip' | 'zstd' {
  const name = basename(path)
  return Object.hasOwn(FORMATS, name) ? FORMATS[name as ProgramName] : 'gzip'
}
