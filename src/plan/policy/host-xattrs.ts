/**
 * Attributes that the host's kernel owns: never set from an image, never removed, never packed (as umoci does). XFS
 * shows each POSIX ACL a second time, in its own format.
 */
import type { ByteString } from '../../bytes.ts'

const HOST_XATTRS: ReadonlySet<ByteString> = new Set([
  'security.selinux',
  'system.nfs4_acl',
  'trusted.SGI_ACL_FILE',
  'trusted.SGI_ACL_DEFAULT'
])

export function isHostXattr(name: ByteString): boolean {
  return HOST_XATTRS.has(name)
}
