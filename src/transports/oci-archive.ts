/** `oci-archive:FILE[:TAG]` or `oci-archive:FILE@DIGEST`: an OCI image layout in a tar file. */
import { formatPathAndTag, parsePathAndTag } from './path-and-tag.ts'
import type { ImageTransport } from './transport.ts'

export interface OciArchiveName {
  readonly transport: 'oci-archive'
  readonly path: string
  /** Undefined: the only image in the archive. */
  readonly tag: string | undefined
}

export const ociArchive: ImageTransport<OciArchiveName> = {
  name: 'oci-archive',
  usage: { all: 'FILE', one: 'FILE[:TAG]' },
  example: 'oci-archive:debian.tar',
  holder: 'file',
  parse: (text) => ({ transport: 'oci-archive', ...parsePathAndTag(text) }),
  format: formatPathAndTag,
  tagInIndex: ({ tag }) => tag,

  async open({ path }, options) {
    const { withUnpackedArchive } = await import('../archive/unpack-archive.ts')
    const { openOciArchive } = await import('./read-oci-archive.ts')
    return withUnpackedArchive(path, options.signal, (unpacked) =>
      openOciArchive(path, options, unpacked)
    )
  },

  writer: (name) => async (image, help) => {
    const { writeOciArchive } = await import('./write-oci-archive.ts')
    return writeOciArchive(name, image, help)
  }
}
