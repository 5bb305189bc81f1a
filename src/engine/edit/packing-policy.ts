/** The policy with which objects on disk become entries of a layer. */
import type { IdMaps } from '../../plan/policy/exact.ts'
import type { PolicyChoice } from '../../plan/policy/policies.ts'
import { identity } from '../../sys/identity.ts'

/** @param rootless whether the tree was unpacked so @param maps between ids of the image and those on disk */
export function packingPolicy(rootless: boolean, maps: IdMaps): PolicyChoice {
  const { uid, gid } = identity()
  return rootless
    ? { kind: 'rootless', uid, gid, hasMemory: true, ...maps }
    : { kind: 'exact', ...maps }
}
