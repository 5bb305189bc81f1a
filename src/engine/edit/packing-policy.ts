/** The policy with which objects on disk become entries of a layer. */
import type { BundleMetadata } from '../../bundle/metadata.ts'
import type { PolicyChoice } from '../../plan/policy/policies.ts'
import { identity } from '../../sys/identity.ts'

/** @param metadata how the tree was unpacked */
export function packingPolicy({
  rootless,
  uidMaps: uidMap,
  gidMaps: gidMap
}: Pick<BundleMetadata, 'rootless' | 'uidMaps' | 'gidMaps'>): PolicyChoice {
  const { uid, gid } = identity()
  return rootless
    ? { kind: 'rootless', uid, gid, uidMap, gidMap }
    : { kind: 'exact', uidMap, gidMap }
}
