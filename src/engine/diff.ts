/** The story of `diff`: what a repack would put into a layer. */
import { configuredVolumes } from '../bundle/volumes.ts'
import type { Delta } from '../mtree/compare.ts'
import { asked } from './operation/asked.ts'
import { bundleChanges } from './changes/bundle-changes.ts'
import { masksOf, type MaskOptions } from './changes/masks.ts'
import { jobCount } from './edit/change-options.ts'
import { readIfRegular, withBundle } from './bundle/open-bundle.ts'
import { CONFIG_FILE } from '../bundle/files.ts'
import { join } from 'node:path'
import { requireOptions } from './operation/required-options.ts'
import { digestsWhereUnpacked } from './files/lazy-digests.ts'
import type { OnEvent } from './operation/events.ts'
import { hasher } from './tree/hash-files.ts'
import { handlePath } from '../sys/handle-path.ts'

/** One path that a repack would put into the layer. */
export interface DiffEntry {
  kind: 'added' | 'modified' | 'deleted'
  /** Relative to the root, as bytes (latin1). */
  path: string
  /** mtree keywords that differ; empty unless modified. */
  changes: readonly { keyword: string; before: string | undefined; after: string | undefined }[]
}

export interface DiffOptions extends MaskOptions {
  bundle: string
  /** Volumes of the image; default those for which the bundle's config.json has mounts. */
  volumes?: readonly string[]
  jobs?: number
  signal?: AbortSignal
  /** Gets a warning if a lazy bundle's image is gone: then files that may have changed are in the result. */
  onEvent?: OnEvent
}

/** What a repack would put into the layer, without doing it. @throws OciUnpackError with a stable `code` */
export async function diff(options: DiffOptions): Promise<DiffEntry[]> {
  requireOptions(options, { bundle: 'text' })
  const threads = { jobs: jobCount(options.jobs), signal: options.signal }
  const { signal, onEvent = () => undefined } = options
  const use = { use: 'shared', signal, onEvent: () => undefined } as const
  return asked({}, () =>
    withBundle(options.bundle, use, async (bundle) => {
      const volumes =
        options.volumes ??
        configuredVolumes(readIfRegular(join(handlePath(bundle.directory), CONFIG_FILE)))
      const { deltas } = await bundleChanges(bundle, {
        masks: masksOf(options, volumes),
        imageDigests: digestsWhereUnpacked(bundle.metadata, { ...threads, onEvent }),
        hashFiles: hasher(bundle.rootfs, { ...threads, ledger: bundle.ledger }),
        ...threads
      })
      return deltas.map(toDiffEntry)
    })
  )
}

const KINDS = { extra: 'added', missing: 'deleted', modified: 'modified' } as const

export function toDiffEntry(delta: Delta): DiffEntry {
  return {
    kind: KINDS[delta.kind],
    path: delta.path,
    changes: delta.kind === 'modified' ? delta.changes : []
  }
}
