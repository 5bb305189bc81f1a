/** Adds a file or directory of the host to an image as a layer. */
import { basename, dirname, resolve } from 'node:path'
import { compareBytes, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { IdMapping } from '../plan/id-map.ts'
import { representable } from '../plan/layer-paths.ts'
import { cleanPath, joinPath } from '../plan/names.ts'
import { packOpaque, packWhiteout } from '../plan/pack-entry.ts'
import type { ObjectPacker } from '../rootfs/pack.ts'
import { walk } from '../rootfs/walk.ts'
import { close, openDirectory, openOperatorDirectory } from '../sys/files.ts'
import type { Ledger } from '../sys/ledger.ts'
import { openTree } from '../sys/lender.ts'
import { status, type FileType } from '../sys/status.ts'
import { endOfArchive, headerBlocks } from '../tar/writer.ts'
import type { ChangeResult, ChangeSettings } from './edit/change-options.ts'
import { changeTag, type TagOptions } from './change-tag.ts'
import type { OnEvent } from './operation/events.ts'
import { whileLendingBeside } from './place/lent-modes.ts'
import { openLayerPacker } from './edit/open-packer.ts'
import type { LayerWriter, WriteLayer } from './edit/layer-writer.ts'
import { packingPolicy } from './edit/packing-policy.ts'
import { socket } from './operation/warnings.ts'
import { suggestingRootless } from './operation/suggest-rootless.ts'
import { requireOptions } from './operation/required-options.ts'

export interface InsertOptions extends TagOptions {
  /** File or directory of the host; if undefined, `target` is deleted in the image. */
  source?: string
  /** Path in the image. */
  target: string
  /** Hide what lower layers have in the directory `target`. */
  opaque?: boolean
  uidMap?: readonly IdMapping[]
  gidMap?: readonly IdMapping[]
  /**
   * For a source that belongs to an ordinary user: owners are root, or what the attribute `user.rootlesscontainers` says,
   * whatever the maps.
   */
  rootless?: boolean
}

/**
 * Adds one layer with `source` at `target` or, without a source, with a whiteout of `target`. Directories are added
 * with their content; symbolic links are stored, not followed; parents of the target get no entries.
 * @throws OciUnpackError with a stable `code`
 */
export async function insert(options: InsertOptions): Promise<ChangeResult> {
  requireOptions(options, { image: 'text', target: 'text' })
  assertNotEmpty(options)
  const target = representable(cleanPath(fromText(options.target)))
  return suggestingRootless(options.rootless, () =>
    changeTag(options, {
      command: 'insert',
      inheritAuthor: false,
      write: (settings) => writerOf(options, target, settings)
    })
  )
}

/** Empty paths would mean the working directory and the root of the image, which nobody calls so on purpose. */
function assertNotEmpty({ source, target }: InsertOptions): void {
  const empty = target === '' ? 'target' : 'source'
  if (target !== '' && source !== '') return
  throw new OciUnpackError('USAGE', `The option ${empty} must not be empty.`)
}

function writerOf(
  options: InsertOptions,
  target: ByteString,
  settings: ChangeSettings
): WriteLayer {
  const { source, rootless = false } = options
  if (source === undefined) return (writer) => writeWhiteout(target, writer)
  return (writer) =>
    withSource(source, rootless, settings, async (directory, name, ledger) => {
      const { uidMap = [], gidMap = [] } = options
      const { type } = status(directory, name)
      assertInsertable(type, target)
      const inside = type === 'directory' ? contents(directory, name, ledger) : []
      const tree = {
        root: directory,
        ledger: ledger && { ...ledger, at: '' },
        policy: packingPolicy(rootless, { uidMap, gidMap }),
        digests: false
      }
      const packer = openLayerPacker(tree, writer, settings)
      try {
        if (options.opaque === true) await packer.header(packOpaque(target))
        await packTree(packer, { name, inside }, target, settings.onEvent)
        await writer.write(endOfArchive())
      } finally {
        packer.release()
      }
    })
}

async function writeWhiteout(target: ByteString, writer: LayerWriter): Promise<void> {
  if (target === '') throw new OciUnpackError('USAGE', 'The root of an image cannot be deleted.')
  await writer.write(headerBlocks(packWhiteout(target)))
  await writer.write(endOfArchive())
}

/**
 * Calls `act` with the directory that contains the source and its name there; a link is not followed. If rootless, modes
 * that keep the user out of the source are changed, and put back afterwards.
 */
async function withSource(
  source: string,
  rootless: boolean,
  { signal, onEvent }: ChangeSettings,
  act: (directory: number, name: ByteString, ledger: Ledger | undefined) => Promise<void>
): Promise<void> {
  const path = resolve(source)
  const directory = openOperatorDirectory(fromText(dirname(path)))
  const name = path === '/' ? '' : fromText(basename(path))
  try {
    if (!rootless) await act(directory, name, undefined)
    else {
      const tree = { directory, path: dirname(path), name, signal, onEvent }
      await whileLendingBeside(tree, (ledger) => act(directory, name, ledger))
    }
  } finally {
    close(directory)
  }
}

async function packTree(
  packer: ObjectPacker,
  { name, inside }: { name: ByteString; inside: readonly Inside[] },
  target: ByteString,
  onEvent: OnEvent
): Promise<void> {
  await packer.add(name, target === '' ? '.' : target)
  for (const { path, isSocket } of inside) {
    if (isSocket) onEvent(socket(joinPath(target, path)))
    else await packer.add(joinPath(name, path), representable(joinPath(target, path)))
  }
}

function assertInsertable(type: FileType, target: ByteString): void {
  if (type === 'socket') throw new OciUnpackError('USAGE', 'A layer cannot hold a socket.')
  if (target === '' && type !== 'directory')
    throw new OciUnpackError('USAGE', 'Only a directory can be put at the root of an image.')
}

interface Inside {
  path: ByteString
  isSocket: boolean
}

/** Everything below a directory, in the order of a layer. */
function contents(
  directory: number,
  name: ByteString,
  ledger: Ledger | undefined
): readonly Inside[] {
  const root =
    ledger === undefined ? openDirectory(directory, name === '' ? '.' : name) : openTree(ledger)
  try {
    return Array.from(walk(root, NOTHING, undefined, ledger), ({ path, status }) => ({
      path,
      isSocket: status.type === 'socket'
    }))
      .filter(({ path }) => path !== '')
      .sort((a, b) => compareBytes(a.path, b.path))
  } finally {
    close(root)
  }
}

const NOTHING: ReadonlySet<ByteString> = new Set()
