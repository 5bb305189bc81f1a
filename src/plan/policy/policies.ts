/**
 * The list of policies. A new one needs a file beside this one, its choice in the union and its functions in the table.
 */
import { exact, type ExactChoice } from './exact.ts'
import type { MetadataPolicy, ObjectMetadata } from './metadata-policy.ts'
import { overlay, type OverlayChoice } from './overlay.ts'

/** Which policy, with its settings. A closed union, so that the settings of one policy cannot be given to another. */
export type PolicyChoice = ExactChoice | OverlayChoice

export const POLICIES: Readonly<Record<PolicyChoice['kind'], MetadataPolicy<PolicyChoice>>> = {
  exact,
  overlay
}

/** @throws ENTRY_INVALID, ID_NOT_MAPPED */
export function toDisk(entry: ObjectMetadata, choice: PolicyChoice): ObjectMetadata {
  return POLICIES[choice.kind].toDisk(entry, choice)
}

/** @throws ID_NOT_MAPPED */
export function fromDisk(object: ObjectMetadata, choice: PolicyChoice): ObjectMetadata {
  return POLICIES[choice.kind].fromDisk(object, choice)
}
