/**
 * What extraction is told about layers: how they are kept, where each one goes, and what to call when it is complete.
 */
import { OciUnpackError } from '../../errors.ts'
import type { WhiteoutForm } from '../../plan/whiteout-form.ts'
import type { Workspace } from '../place/workspace.ts'

/** Where one layer is, or will be. Paths are absolute. */
export type Place =
  /** It has no place of its own: it is part of the root file system that the engine makes. */
  | { kind: 'rootfs' }
  | { kind: 'directory'; path: string }
  /** A file that the kernel can mount. */
  | { kind: 'image'; path: string; format: 'erofs' | 'squashfs' }

/** What to make of the missing layers. */
export type Extraction =
  /**
   * One tree of all layers, which becomes the root file system of the bundle. `within` runs `act` with the workspace in
   * which it is made.
   */
  | { kind: 'rootfs'; within: (act: (workspace: Workspace) => Promise<void>) => Promise<void> }
  /** Each layer alone, with whiteouts in this form for what it hides. */
  | { kind: 'layer'; whiteouts: WhiteoutForm }
  /** Each layer on top of its parent's state. `spools` is a directory for layers that wait for their turn. */
  | { kind: 'chain'; spools: string }
  /** Each layer as one image, and one more that joins them, at the path `merged`, which is known once layers are staged. */
  | { kind: 'image'; merged: () => string; indexes: LayerIndexes }

/** What a storage remembers of the entries of layers, so that layers that exist can be joined without being read. */
export interface LayerIndexes {
  fetch(layer: number): LayerIndex | undefined
  /** The layer is verified. */
  keep(layer: number, index: LayerIndex): void
}

export interface LayerIndex {
  /** Entries as they travel between threads (`worker/entry-codec.ts`), in their order. */
  entries: readonly Uint8Array[]
  /** Whether files have their digests. */
  hasDigests: boolean
}

/**
 * Layers are counted from 0, base first. Each missing layer is staged, written and committed; base first if a layer
 * needs what is below it. If a layer is staged but never committed, the storage that named its place must clean it up.
 */
export interface LayerPlaces {
  readonly extraction: Extraction
  /**
   * Where to write the layer. For `layer` the place is empty; for `chain` it contains the parent's state; for `image`
   * nothing is there yet.
   */
  stage(layer: number): Promise<Place>
  /** The layer is written and verified. From here on it may lie elsewhere. */
  commit(layer: number): Promise<void>
  /** Where a layer is that was found or committed. */
  committed(layer: number): Place
}

/** The path of an image that is to be made or was found. */
export function imageOf(place: Place): string {
  if (place.kind === 'image') return place.path
  throw new Error('[internal] the place of a layer is not an image')
}

/** The only way from a place to a path, for code that works only on directories. @throws TARGET_INVALID */
export function directoryOf(place: Place): string {
  if (place.kind === 'directory') return place.path
  throw new OciUnpackError('TARGET_INVALID', 'The place of a layer is not a directory.', {
    facts: place.kind === 'image' ? { path: place.path, found: `${place.format} image` } : {},
    hint: 'Layers can only be written to and read from directories. Use a storage that keeps directories.'
  })
}
