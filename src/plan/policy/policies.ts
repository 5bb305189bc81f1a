/**
 * The list of policies. A new one needs a file beside this one, its choice in the union and its functions in the table.
 */
import { exact, type ExactChoice } from './exact.ts'
import { isHostXattr } from './host-xattrs.ts'
import { limited, type LimitedChoice } from './limited.ts'
import type { MetadataPolicy, ObjectMetadata, Unheld } from './metadata-policy.ts'
import { overlay, type OverlayChoice } from './overlay.ts'
import { rootless, type RootlessChoice } from './rootless.ts'

/** Which policy, with its settings. A closed union, so that the settings of one policy cannot be given to another. */
export type PolicyChoice = ExactChoice | LimitedChoice | OverlayChoice | RootlessChoice

/** It needs no more of its choice than the maps, which not every choice has. */
const exactly: MetadataPolicy<ExactChoice> = exact

export const POLICIES: Readonly<Record<PolicyChoice['kind'], MetadataPolicy<PolicyChoice>>> = {
  exact: exactly,
  limited,
  overlay,
  rootless
}

/** @throws ENTRY_INVALID, ID_NOT_MAPPED */
export function toDisk(entry: ObjectMetadata, choice: PolicyChoice): ObjectMetadata {
  return POLICIES[choice.kind].toDisk(entry, choice)
}

/** @throws ENTRY_INVALID, ID_NOT_MAPPED */
export function fromDisk(object: ObjectMetadata, choice: PolicyChoice): ObjectMetadata {
  return POLICIES[choice.kind].fromDisk(object, choice)
}

/** How the metadata that a policy returns is to be written. Plain data. */
export interface WriteRules {
  /** An attribute or a mode that the kernel refuses is left out and remembered; otherwise it is a failure. */
  isLenient: boolean
  /** Whoever owns an object keeps it. */
  keepsOwners: boolean
}

export function writeRules(choice: PolicyChoice): WriteRules {
  const { kind } = choice.kind === 'overlay' ? choice.under : choice
  return { isLenient: kind !== 'exact', keepsOwners: kind === 'rootless' }
}

/** What the disk does not hold of an entry; undefined for nothing. What belongs to the host is no part of an image. */
export function unheldOf(entry: ObjectMetadata, choice: PolicyChoice): Unheld | undefined {
  if (!writeRules(choice).isLenient) return undefined
  const { xattrs = [], ...rest } = POLICIES[choice.kind].unheld(entry, choice)
  const left = xattrs.filter(([name]) => !isHostXattr(name))
  const unheld = left.length === 0 ? rest : { ...rest, xattrs: left }
  return Object.keys(unheld).length === 0 ? undefined : unheld
}
