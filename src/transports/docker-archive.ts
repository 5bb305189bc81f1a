/** `docker-archive:FILE[:NAME[:TAG]]` or `docker-archive:FILE@DIGEST`: what `docker save` writes. */
import { OciUnpackError } from '../errors.ts'
import { fullDockerName } from '../image/docker-name.ts'
import { formatPathAndTag, parsePathAndTag } from './path-and-tag.ts'
import type { ImageTransport } from './transport.ts'

export interface DockerArchiveName {
  readonly transport: 'docker-archive'
  readonly path: string
  /** `NAME[:TAG]`, or `@N` for the image at position N, counted from 0. Undefined: the only image in the archive. */
  readonly tag: string | undefined
}

export const dockerArchive: ImageTransport<DockerArchiveName> = {
  name: 'docker-archive',
  usage: { all: 'FILE', one: 'FILE[:NAME[:TAG]]' },
  example: 'docker-archive:debian.tar:debian:12',
  holder: 'file',
  parse: (text) => ({ transport: 'docker-archive', ...parsePathAndTag(text) }),
  format: formatPathAndTag,
  tagInIndex: ({ tag }) => (tag === undefined || tag.startsWith('@') ? tag : fullDockerName(tag)),

  async open({ path }, options) {
    const { withUnpackedArchive } = await import('../archive/unpack-archive.ts')
    const { openDockerArchive } = await import('./read-docker-archive.ts')
    return withUnpackedArchive(path, options.signal, (unpacked) =>
      openDockerArchive(path, options, unpacked)
    )
  },

  writer(name) {
    if (name.tag !== undefined && isPlace(name.tag)) throw placeAsName(name)
    return async (image, help) => {
      const { writeDockerArchive } = await import('./write-docker-archive.ts')
      await writeDockerArchive(name, image, help)
      return undefined
    }
  }
}

function isPlace(tag: string): boolean {
  return /^@\d+$/.test(tag)
}

function placeAsName(name: DockerArchiveName): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'A place cannot be the name of a new image.', {
    facts: { found: `docker-archive:${formatPathAndTag(name)}` },
    hint: 'Give docker-archive:FILE or docker-archive:FILE:NAME:TAG.'
  })
}
