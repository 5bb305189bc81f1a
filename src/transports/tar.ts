/**
 * `tar:FILE`: an archive of a root file system, as debootstrap, LXD and `docker export` make them. It is read as an image
 * of one layer, and only the merged tree of an image is written: no config, no history, no tag.
 */
import { archiveFormat } from './archive-suffix.ts'
import { invalidName } from './path-and-tag.ts'
import type { ImageTransport, TreeWriter } from './transport.ts'

export interface TarName {
  readonly transport: 'tar'
  /** A path may contain colons, because no tag follows. */
  readonly path: string
  /** Never chosen: there is one image. */
  readonly tag: string | undefined
}

export const tar: ImageTransport<TarName> = {
  name: 'tar',
  usage: { all: 'FILE', one: 'FILE' },
  example: 'tar:rootfs.tar.xz',
  holder: 'file',
  parse(path) {
    if (path === '') throw invalidName(path, 'the path is empty')
    if (path === '-') throw invalidName(path, 'standard input and output are not supported')
    return { transport: 'tar', path, tag: undefined }
  },
  format: ({ path }) => path,
  tagInIndex: () => undefined,

  async open({ path }, options) {
    const { openTarImage } = await import('./read-tar.ts')
    return openTarImage(path, options)
  },

  writer(name) {
    const writeTree = treeWriter(name)
    return async (image, help) => {
      await writeTree((output) => help.writeTree(image, (bytes) => output.write(bytes)), help)
      return undefined
    }
  },

  treeWriter
}

function treeWriter({ path }: TarName): TreeWriter {
  const format = archiveFormat(path)
  return async (fill, help) => {
    const { writeTar } = await import('./write-tar.ts')
    await writeTar({ path, format }, fill, help)
  }
}
