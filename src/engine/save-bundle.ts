/** Packs the root file system of a bundle, as it is now, into an archive. */
import { fromText } from '../bytes.ts'
import { representable } from '../plan/layer-paths.ts'
import type { TarOutput } from '../rootfs/pack.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { endOfArchive } from '../tar/writer.ts'
import { parseTreeDestination } from '../transports/image-name.ts'
import { assertOutside } from './bundle/assert-outside.ts'
import { withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { assertNoKernelMounts } from './changes/assert-no-kernel-mounts.ts'
import { jobCount } from './edit/change-options.ts'
import { openArchivePacker } from './edit/open-packer.ts'
import { treeOf } from './edit/packed-bundle.ts'
import { heedSignals } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import type { ThreadOptions } from './operation/threads.ts'
import { mounted, socket, warningTo } from './operation/warnings.ts'
import { scanTree } from './tree/scan-tree.ts'

export interface SaveBundleOptions {
  /** Directory of a bundle that unpack made, ours or umoci's. */
  bundle: string
  /**
   * `tar:FILE`, which must not exist. The end of the name decides the compression: `.tar`, `.tar.gz`, `.tgz`, `.tar.zst`,
   * `.tar.xz` or `.tar.bz2`.
   */
  archive: string
  /** How many processors read and compress; default all. The bytes do not depend on it. */
  jobs?: number
  /** Stops the operation: it rejects with ABORTED and leaves no archive behind. */
  signal?: AbortSignal
  onEvent?: OnEvent
}

/**
 * Packs the whole root file system, changed or not, with the owners that the image has. An unpack of the archive makes
 * the same tree again. The archive appears under its name when it is complete, and the same tree has always the same bytes.
 * @throws ARCHIVE_EXISTS, REFERENCE_INVALID; BUNDLE_INVALID, BUNDLE_BUSY; ENTRY_INVALID for a name that no image can
 * contain; FILE_CHANGED, ID_NOT_MAPPED, COMPRESSOR_UNAVAILABLE, COMPRESSOR_FAILED, SYSCALL_FAILED, ABORTED
 */
export async function saveBundle(options: SaveBundleOptions): Promise<void> {
  requireOptions(options, { bundle: 'text', archive: 'text' })
  const { signal, onEvent = () => undefined } = options
  const jobs = jobCount(options.jobs)
  const archive = parseTreeDestination(options.archive, warningTo(onEvent))
  const help = {
    breathe: () => heedSignals(signal),
    processors: jobs,
    onLeftover: leftoverTo(onEvent)
  }
  await asked({}, () =>
    withBundle(options.bundle, { use: 'shared', signal, onEvent }, async (bundle) => {
      assertMayBeRead(bundle, archive.path, onEvent)
      await archive.write((output) => packAll(bundle, output, { jobs, signal, onEvent }), help)
    })
  )
}

function assertMayBeRead({ rootfs }: OpenBundle, archive: string, onEvent: OnEvent): void {
  const root = withoutHandles(handlePath(rootfs))
  assertOutside(root, archive, 'The archive', 'the tree that is packed')
  assertNoKernelMounts(rootfs)
  for (const point of mountsBelow(fromText(root))) onEvent(mounted(point))
}

interface Packing extends ThreadOptions {
  onEvent: OnEvent
}

async function packAll(
  bundle: OpenBundle,
  output: TarOutput,
  { onEvent, ...threads }: Packing
): Promise<void> {
  const { rootfs, ledger, expected } = bundle
  const looking = { ...threads, ledger, expected: expected() }
  const [tree] = await scanTree(rootfs, looking, () => undefined)
  onEvent({ type: 'phase', phase: 'save' })
  const packer = openArchivePacker(treeOf(bundle, false), output, onEvent)
  let entries = 0
  try {
    for (const { path, type } of tree.inTreeManifestOrder()) {
      if (type === 'socket') onEvent(socket(path, 'An archive'))
      else await packer.add(path === '.' ? '' : path, representable(path))
      onEvent({ type: 'packed', entries: ++entries, total: tree.size })
    }
    await output.write(endOfArchive())
  } finally {
    packer.release()
  }
}
