/** The policy for a layer in its own directory. */
import type { StagedEntry } from '../staged-entry.ts'
import { isWhiteoutDevice, overlayNamespace, type WhiteoutForm } from '../whiteout-form.ts'
import type { ObjectMetadata } from './metadata-policy.ts'
import type { PlainChoice } from './overlay.ts'
import { fromDisk, toDisk, type PolicyChoice } from './policies.ts'

/** The policy to use when the layer is part of a mount. */
export function layerPolicy(under: PlainChoice, form: WhiteoutForm): PolicyChoice {
  const namespace = overlayNamespace(form)
  return namespace === undefined ? under : { kind: 'overlay', namespace, under }
}

/** Owners stay as they are on disk. */
const AS_IT_LIES: PlainChoice = { kind: 'exact', uidMap: [], gidMap: [] }

const IN_OVERLAY = layerPolicy(AS_IT_LIES, 'overlay')

/** An entry as a layer of an overlay mount has it: its attributes do not look like marks. @throws ENTRY_INVALID */
export function inOverlay(entry: StagedEntry): StagedEntry {
  const { type } = entry
  if (type === 'whiteout' || type === 'opaque' || type === 'hardlink') return entry
  if (entry.xattrs.length === 0 && !isWhiteoutDevice(entry)) return entry
  return { ...entry, ...toDisk({ ...entry, type }, IN_OVERLAY) }
}

/**
 * The metadata that the image gave to an object in the directory of a layer, in its form on disk: without what the host
 * and the mount have added.
 */
export function withoutMarks(object: ObjectMetadata, form: WhiteoutForm): ObjectMetadata {
  const policy = layerPolicy(AS_IT_LIES, form)
  return toDisk(fromDisk(object, policy), policy)
}
