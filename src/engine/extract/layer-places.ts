/** What extraction is told of layers: how they are to be kept, where each goes, and who hears when it is complete. */
import { OciUnpackError } from '../../errors.ts'
import type { WhiteoutForm } from '../../plan/whiteout-form.ts'
import type { Workspace } from '../place/workspace.ts'

/** Where one layer lies, or is to lie. Paths are absolute. */
export type Place =
  /** Nowhere by itself: it is part of the root file system that the engine makes. */
  | { kind: 'rootfs' }
  | { kind: 'directory'; path: string }
  /** A file that the kernel mounts. */
  | { kind: 'image'; path: string; format: 'erofs' | 'squashfs' }

/** What is made of the layers that are missing. */
export type Extraction =
  /**
   * One tree of all layers, which becomes the root file system of the bundle. `within` runs with the workspace that it is
   * made in.
   */
  | { kind: 'rootfs'; within: (act: (workspace: Workspace) => Promise<void>) => Promise<void> }
  /** Each layer alone, with whiteouts in this form for what it hides. */
  | { kind: 'layer'; whiteouts: WhiteoutForm }
  /** Each layer on top of its parent's state. `spools` is a directory for layers that wait for their turn. */
  | { kind: 'chain'; spools: string }

/**
 * Layers are counted from 0, base first. Each that is missing is staged, written, and committed; base first where one
 * needs what is below it. A layer of which staging has begun and that is never committed belongs to whoever named its place.
 */
export interface LayerPlaces {
  readonly extraction: Extraction
  /** Where to write the layer. For `layer` the place is empty, for `chain` it holds the parent's state. */
  stage(layer: number): Promise<Place>
  /** The layer is written and verified. From here on it may lie elsewhere. */
  commit(layer: number): Promise<void>
  /** Where a layer lies that was found or committed. */
  committed(layer: number): Place
}

/** The one way from a place to a path, for all that works on directories only. @throws TARGET_INVALID */
export function directoryOf(place: Place): string {
  if (place.kind === 'directory') return place.path
  throw new OciUnpackError('TARGET_INVALID', 'The place of a layer is not a directory.', {
    facts: place.kind === 'image' ? { path: place.path, found: `${place.format} image` } : {},
    hint: 'Layers are written to directories and read from them. Use a storage that keeps directories.'
  })
}
