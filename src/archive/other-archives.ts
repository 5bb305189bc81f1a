/** Where the root file system of an archive is, or what else the archive contains, as names in it show. */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'

/** What a root file system does not have at its top. */
const IN_IMAGES =
  /^(?:blobs|oci-layout|index\.json|manifest\.json|repositories|(?:sha256:)?[0-9a-f]{64}(?:\.json|\.tar(?:\.gz)?)?|)$/

/** What LXD and Incus have beside a root file system. */
const IN_LXD = /^(?:metadata\.yaml|templates|rootfs|rootfs\.img|backup|backup\/.*|)$/

const LXD_IMAGE = 'rootfs'
const LXD_BACKUP_INDEX = 'backup/index.yaml'
const LXD_BACKUP = 'backup/container/rootfs'
const LXD_DISK = 'rootfs.img'
const LXD_VIRTUAL_MACHINE = 'backup/virtual-machine.img'

/** Names below the top that tell where the root file system is. */
export const TELLING: ReadonlySet<ByteString> = new Set([
  LXD_BACKUP_INDEX,
  LXD_BACKUP,
  LXD_VIRTUAL_MACHINE
])

/**
 * The directory of the archive that is the root; empty for the whole archive.
 * @param names those at the top, and the telling ones
 * @throws ARCHIVE_INVALID, with what to do
 */
export function rootIn(names: ReadonlySet<ByteString>): ByteString {
  const images = imagesIn(names)
  if (images !== undefined)
    throw contains('images', images, `Name it with the transport ${images}: instead of tar:.`)
  if (!isOfLxd(names)) return ''
  const found = 'an image or a backup of LXD or Incus'
  if (names.has(LXD_IMAGE)) return LXD_IMAGE
  if (names.has(LXD_BACKUP)) return LXD_BACKUP
  if (names.has(LXD_DISK) || names.has(LXD_VIRTUAL_MACHINE))
    throw contains('the disk of a virtual machine', found, 'Give the image of a container.')
  throw contains(
    'the metadata of an image',
    found,
    'Its root file system is in another file: root.tar.xz or rootfs.tar.xz. Give that.'
  )
}

/** Nothing in it belongs to a root file system. */
function isOfLxd(names: ReadonlySet<ByteString>): boolean {
  const isWhole = [...names].every((name) => IN_LXD.test(name))
  return isWhole && (names.has('metadata.yaml') || names.has(LXD_BACKUP_INDEX))
}

function contains(what: string, found: string, hint: string): OciUnpackError {
  return new OciUnpackError(
    'ARCHIVE_INVALID',
    `The archive contains ${what}, not a root file system.`,
    { facts: { found }, hint }
  )
}

function imagesIn(names: ReadonlySet<ByteString>): string | undefined {
  if (![...names].every((name) => IN_IMAGES.test(name))) return undefined
  if (names.has('manifest.json')) return 'docker-archive'
  return names.has('oci-layout') || (names.has('index.json') && names.has('blobs'))
    ? 'oci-archive'
    : undefined
}
