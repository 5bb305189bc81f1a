/** `docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST]`: an image in a repository of a registry, as skopeo spells it. */
import { DEFAULT_TAG } from '../image/tags.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import type { ImageTransport } from './transport.ts'

export interface DockerName {
  readonly transport: 'docker'
  /** `//HOST[:PORT]/NAME`, in full. */
  readonly path: string
  /** Undefined: `latest`. */
  readonly tag: string | undefined
}

export const docker: ImageTransport<DockerName> = {
  name: 'docker',
  begins: '//',
  usage: { all: '//[HOST/]NAME', one: '//[HOST/]NAME[:TAG]' },
  example: 'docker://docker.io/library/debian:12',
  holder: 'registry',
  parse,
  format: ({ path, tag }) =>
    tag === undefined || tag.startsWith('@') ? `${path}${tag ?? ''}` : `${path}:${tag}`,
  tagInIndex: ({ tag }) => tag ?? DEFAULT_TAG,

  async open(name, options) {
    const { openRepository } = await import('./open-repository.ts')
    return openRepository(name, options)
  },

  async tags(name, options) {
    const { tagsOfRepository } = await import('./open-repository.ts')
    return tagsOfRepository(name, options)
  },

  writer(name) {
    return async (image, help) => {
      const { writeToRepository } = await import('./write-repository.ts')
      return writeToRepository(name, image, help)
    }
  },

  async change(name, options) {
    const { changeInRepository } = await import('./change-repository.ts')
    return changeInRepository(name, options)
  }
}

function parse(text: string): DockerName {
  const { host, name, tag, digest } = parseReference(text.slice(2))
  const path = `//${formatReference({ host, name })}`
  return { transport: 'docker', path, tag: digest === undefined ? tag : `@${digest}` }
}
