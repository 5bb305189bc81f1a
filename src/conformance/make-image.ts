/** Turns layers that are data into an image in a layout. */
import { toBuffer } from '../bytes.ts'
import { chainIds, digestOf, type Digest } from '../image/digest.ts'
import { hostPlatform } from '../image/platform.ts'
import { configBytes, manifestBytes } from '../image/serialise.ts'
import { withTag } from '../image/tags.ts'
import type { Descriptor } from '../image/types.ts'
import { updateIndex } from '../store/index-update.ts'
import { openOrCreateLayout } from '../store/new-layout.ts'
import type { Workspace } from '../store/layout-workspace.ts'
import { putBlob } from '../store/write.ts'
import { endOfArchive, headerBlocks, padding } from '../tar/writer.ts'
import type { MadeLayer, Member } from './layers.ts'

const TAR = 'application/vnd.oci.image.layer.v1.tar'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/** Returns the chain IDs of the layers, base layer first. */
export async function makeImage(
  layout: string,
  tag: string,
  layers: readonly MadeLayer[]
): Promise<Digest[]> {
  const archives = layers.map(toTar)
  const diffIds = archives.map((archive) => digestOf(archive))
  const writable = await openOrCreateLayout(layout, waitATurn)
  try {
    const { workspace } = writable
    const manifest = manifestBytes({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: put(workspace, CONFIG, configOf(diffIds)),
      layers: archives.map((archive) => put(workspace, TAR, archive))
    })
    const descriptor = put(workspace, MANIFEST, manifest)
    await updateIndex(workspace, (index) => withTag(index, tag, descriptor), waitATurn)
    writable.publish()
    return chainIds(diffIds)
  } finally {
    writable.discard()
  }
}

function configOf(diffIds: readonly Digest[]): Buffer {
  const { os, architecture, variant } = hostPlatform()
  return configBytes({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds }
  })
}

function put(workspace: Workspace, mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, ...putBlob(workspace, bytes) }
}

async function waitATurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

function toTar(layer: MadeLayer): Buffer {
  return Buffer.concat([...layer.flatMap(blocks), endOfArchive()])
}

function blocks({ entry, body }: Member): Buffer[] {
  const bytes = toBuffer(body)
  const header = headerBlocks(
    { ...entry, size: bytes.length, offset: 0 },
    { precision: 'nanoseconds' }
  )
  return [header, bytes, Buffer.alloc(padding(bytes.length))]
}
