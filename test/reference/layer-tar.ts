import { endOfArchive, headerBlocks, padding } from '../../src/tar/writer.ts'
import type { Member } from './serial.ts'

/** A layer of random members as the archive that an image has. */
export function layerTar(layer: readonly Member[]): Buffer {
  const members = layer.flatMap(({ entry, body }) => {
    const isDirectory = entry.type === 'directory' && !entry.name.endsWith('/')
    const name = isDirectory ? `${entry.name}/` : entry.name
    const header = headerBlocks({ ...entry, name }, { precision: 'nanoseconds' })
    return [header, body, Buffer.alloc(padding(body.length))]
  })
  return Buffer.concat([...members, endOfArchive()])
}
