/** POSIX ACLs as attributes (linux/posix_acl_xattr.h): a version, then entries of tag, permissions and id. */
import type { ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Xattr } from '../../tar/entry.ts'

const NAMES: ReadonlySet<ByteString> = new Set([
  'system.posix_acl_access',
  'system.posix_acl_default'
])
const HEADER_BYTES = 4
const ENTRY_BYTES = 8
/** ACL_USER and ACL_GROUP: entries that name somebody. */
const NAMED_TAGS: ReadonlySet<number> = new Set([2, 8])
/** What the kernel shows for somebody whom this user namespace does not have. */
const UNKNOWN = 0xffff_ffff

/** An image must not get such an ACL. @throws ID_NOT_MAPPED */
export function assertAclsKnown(xattrs: readonly Xattr[]): void {
  for (const [name, value] of xattrs)
    if (NAMES.has(name) && namesUnknown(Buffer.from(value, 'latin1'))) throw unknownInAcl(name)
}

function namesUnknown(acl: Buffer): boolean {
  for (let at = HEADER_BYTES; at + ENTRY_BYTES <= acl.length; at += ENTRY_BYTES)
    if (NAMED_TAGS.has(acl.readUInt16LE(at)) && acl.readUInt32LE(at + 4) === UNKNOWN) return true
  return false
}

function unknownInAcl(name: ByteString): OciUnpackError {
  return new OciUnpackError(
    'ID_NOT_MAPPED',
    'An ACL names a user or group that this user namespace does not have.',
    {
      facts: { found: name },
      hint: 'Repack outside of the namespace, or in one that has the id.'
    }
  )
}
