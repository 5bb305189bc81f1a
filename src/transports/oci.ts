/** `oci:PATH[:TAG]`: an OCI image layout, which is a directory. */
import { resolve } from 'node:path'
import { formatPathAndTag, parsePathAndTag } from './path-and-tag.ts'
import type { ImageTransport } from './transport.ts'

export interface OciName {
  readonly transport: 'oci'
  readonly path: string
  /** Undefined: `latest`. */
  readonly tag: string | undefined
}

const DEFAULT_TAG = 'latest'

export const oci: ImageTransport<OciName> = {
  name: 'oci',
  usage: { all: 'PATH', one: 'PATH[:TAG]' },
  example: './debian:12',
  holder: 'directory',
  parse: (text) => ({ transport: 'oci', ...parsePathAndTag(text) }),
  format: formatPathAndTag,
  tagInIndex: tagOf,

  async open({ path }, options) {
    const { openLayout } = await import('../store/layout.ts')
    return openLayout(path, options)
  },

  async hold({ path }, pause) {
    const { useBlobs } = await import('../store/blobs-lock.ts')
    return useBlobs(resolve(path), pause)
  },

  writer: (name) => async (image, help) => {
    const { writeLayout } = await import('./write-layout.ts')
    return writeLayout({ path: name.path, tag: tagOf(name) }, image, help)
  },

  inLayout: (name) => ({ path: name.path, tag: tagOf(name) })
}

function tagOf({ tag }: OciName): string {
  return tag ?? DEFAULT_TAG
}
