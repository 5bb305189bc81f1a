/** Bundles of a user namespace, in the hands of their user outside: most files belong to ids that only the namespace has. */
import type { BundleMetadata } from '../../bundle/metadata.ts'
import { OciUnpackError, withHint } from '../../errors.ts'
import { areMapsOf } from '../../plan/outside.ts'
import { isErrno } from '../../sys/failure.ts'
import { namespaceIds } from '../../sys/user-namespace.ts'

type Maps = Pick<BundleMetadata, 'rootless' | 'uidMaps' | 'gidMaps'>

/** Whether the files of a bundle belong to ids that this process can neither be nor change. */
export function isOfAnotherNamespace({ rootless, uidMaps, gidMaps }: Maps): boolean {
  const uid = process.geteuid!()
  if (rootless || uid === 0) return false
  const isOwn = uidMaps.every(({ hostId, size }) => hostId === uid && size === 1)
  const namespace = namespaceIds()
  const recorded = { uidMap: uidMaps, gidMap: gidMaps }
  return !isOwn && !(namespace !== undefined && areMapsOf(namespace, recorded))
}

const HINT =
  'The bundle was made in a user namespace: run the command in that namespace ({userns}).'

/** Deleting what can be deleted would leave half a bundle. @throws BUNDLE_INVALID */
export function assertDeletable(metadata: Maps, path: string): void {
  if (!isOfAnotherNamespace(metadata)) return
  throw new OciUnpackError(
    'BUNDLE_INVALID',
    'Most files of the bundle belong to subordinate ids.',
    {
      facts: { path },
      hint: HINT
    }
  )
}

/** Says of a refused call where it would succeed. */
export async function suggestingNamespace<T>(metadata: Maps, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const isRefused = isErrno(error, 'EACCES', 'EPERM') && isOfAnotherNamespace(metadata)
    throw isRefused ? withHint(error, HINT) : error
  }
}
