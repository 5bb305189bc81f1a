/** The policy for a layer in its own directory. */
import { overlayNamespace, type WhiteoutForm } from '../whiteout-form.ts'
import type { ObjectMetadata } from './metadata-policy.ts'
import { fromDisk, toDisk, type PolicyChoice } from './policies.ts'

/** The policy to use when the layer is part of a mount. */
export function layerPolicy(policy: PolicyChoice, form: WhiteoutForm): PolicyChoice {
  const namespace = overlayNamespace(form)
  if (namespace === undefined) return policy
  const { uidMap, gidMap } = policy
  return { kind: 'overlay', namespace, uidMap, gidMap }
}

/** Owners stay as they are on disk. */
const AS_IT_LIES: PolicyChoice = { kind: 'exact', uidMap: [], gidMap: [] }

/**
 * The metadata that the image gave to an object in the directory of a layer, in its form on disk: without what the host
 * and the mount have added.
 */
export function withoutMarks(object: ObjectMetadata, form: WhiteoutForm): ObjectMetadata {
  const policy = layerPolicy(AS_IT_LIES, form)
  return toDisk(fromDisk(object, policy), policy)
}
