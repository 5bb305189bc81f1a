/** `oci:PATH[:TAG]` or `oci:PATH@DIGEST`: an OCI image layout, which is a directory. */
import { resolve } from 'node:path'
import { DEFAULT_TAG } from '../image/tags.ts'
import { formatPathAndTag, parsePathAndTag } from './path-and-tag.ts'
import type { ImageTransport } from './transport.ts'

export interface OciName {
  readonly transport: 'oci'
  readonly path: string
  /** Undefined: `latest`, or for reading the only image if there is no such tag. */
  readonly tag: string | undefined
}

export const oci: ImageTransport<OciName> = {
  name: 'oci',
  usage: { all: 'PATH', one: 'PATH[:TAG]' },
  example: './debian:12',
  holder: 'directory',
  parse: (text) => ({ transport: 'oci', ...parsePathAndTag(text) }),
  format: formatPathAndTag,
  tagInIndex: ({ tag }) => tag,

  async open(name, options) {
    const { openLayoutAt } = await import('./open-layout.ts')
    return openLayoutAt(name.path, options, formatPathAndTag(name))
  },

  async hold({ path }, pause) {
    const { useBlobs } = await import('../store/blobs-lock.ts')
    return useBlobs(resolve(path), pause)
  },

  writer: (name) => async (image, help) => {
    const { writeLayout } = await import('./write-layout.ts')
    return writeLayout({ path: name.path, tag: name.tag ?? DEFAULT_TAG }, image, help)
  },

  async change(name, options) {
    const { openLayoutAt } = await import('./open-layout.ts')
    const layout = await openLayoutAt(name.path, options, formatPathAndTag(name))
    return { layout, tag: name.tag, publish: () => Promise.resolve(), close: () => undefined }
  },

  inLayout: ({ path, tag }) => ({ path, tag })
}
