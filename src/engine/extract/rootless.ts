/** How metadata is kept on disk, and what a runtime without privileges needs to know of this host and user. */
import type { IdMapping } from '../../plan/id-map.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import { identity } from '../../sys/identity.ts'
import { lockedMountFlags } from '../../sys/mounts.ts'
import { privileges } from '../../sys/privileges.ts'

export interface OwnershipOptions {
  rootless?: boolean
  uidMap?: readonly IdMapping[]
  gidMap?: readonly IdMapping[]
}

/** The policy for a new tree, by what the caller wants and by what the kernel lets this process do. */
export function choosePolicy(options: OwnershipOptions): PlainChoice {
  const { rootless = false, uidMap = [], gidMap = [] } = options
  const { uid, gid } = identity()
  if (rootless) return { kind: 'rootless', uid, gid, hasMemory: true, ...rootlessMaps(options) }
  const { makesDevices, setsEveryXattr } = privileges()
  if (uid === 0 && !(makesDevices && setsEveryXattr))
    return { kind: 'limited', makesDevices, uidMap, gidMap }
  return { kind: 'exact', uidMap, gidMap }
}

/** The policy for a tree alone, beside which nothing is remembered. */
export function withoutMemory(policy: PlainChoice): PlainChoice {
  return policy.kind === 'rootless' ? { ...policy, hasMemory: false } : policy
}

export function isRootless({ policy }: { policy: PlainChoice }): boolean {
  return policy.kind === 'rootless'
}

/** Missing or empty maps map root of the container to the user who runs this program. */
function rootlessMaps({
  uidMap = [],
  gidMap = []
}: OwnershipOptions): Required<Pick<OwnershipOptions, 'uidMap' | 'gidMap'>> {
  const { uid, gid } = identity()
  return {
    uidMap: uidMap.length > 0 ? uidMap : [onlyRoot(uid)],
    gidMap: gidMap.length > 0 ? gidMap : [onlyRoot(gid)]
  }
}

function onlyRoot(hostId: number): IdMapping {
  return { containerId: 0, hostId, size: 1 }
}

/** What rootless mounts depend on. */
export function rootlessHost(): { resolvConfFlags: readonly string[] | undefined } {
  return { resolvConfFlags: lockedMountFlags('/etc/resolv.conf') }
}
