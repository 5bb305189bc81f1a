/** The bundles of a user namespace that was made for this program: they state everything as it is outside. */
import type { RootlessHost } from '../../bundle/mounts.ts'
import { AS_SEEN } from '../../plan/outside.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import { isRootless, rootlessHost } from '../extract/rootless.ts'
import { madeNamespaceIds } from '../../sys/user-namespace.ts'

/** How a new bundle says what its owners are. */
export interface Statement {
  /** The maps that it records, which lead from the ids of the image to those that it states. */
  recorded: IdMaps
  /** From the ids that this process sees to those that the bundle states. */
  outside: IdMaps
  /** For a runtime without privileges, which can use these maps. */
  rootless: RootlessHost | undefined
}

/** With maps that the caller asked for, and for a rootless bundle, the namespace has nothing to do with it. */
export function statementOf(policy: PlainChoice): Statement {
  const given = { uidMap: policy.uidMap, gidMap: policy.gidMap }
  if (isRootless({ policy })) return { recorded: given, outside: AS_SEEN, rootless: rootlessHost() }
  const isMapped = given.uidMap.length > 0 || given.gidMap.length > 0
  const made = isMapped ? undefined : madeNamespaceIds()
  return made === undefined
    ? { recorded: given, outside: AS_SEEN, rootless: undefined }
    : { recorded: made, outside: made, rootless: rootlessHost() }
}
