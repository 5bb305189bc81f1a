/**
 * Makes images: that of one layer, with bodies, and that of a whole tree whose bodies lie on other devices. Whatever
 * goes in, the same tree gives the same bytes: no clock, no order of insertion, no machine is in them.
 */
import { toBuffer, type ByteString } from '../bytes.ts'
import { tooMany } from './faults.ts'
import { INCOMPATIBLE, MAX_BLOCKS } from './format.ts'
import {
  deviceStarts,
  encodeHeader,
  headerBlocks,
  type Device,
  type DeviceLength,
  type ImageHeader
} from './image-header.ts'
import { ImageLayout } from './image-layout.ts'
import { ROOT, type ImageTree } from './image-tree.ts'
import { metadata, type DeviceAddresses } from './write-metadata.ts'

export interface ImageParts {
  /** Belongs at the start of the image. Until it is there, nothing takes the file for an image. */
  header: Buffer
  /** The block in which `metadata` begins. */
  metadataBlock: number
  /** Pieces that follow each other up to the end of the image. Can be read once. */
  metadata: Iterable<Buffer>
  /** The length of the image: whole blocks. */
  blocks: number
}

/**
 * The image of a layer: `block 0 | bodies | directories | inodes`. The caller has written the bodies where `BodyPlaces`
 * put them, with zeros up to the end of each last block.
 * @param bodies the end of `BodyPlaces`
 * @param uuid 16 bytes
 * @throws LIMIT_EXCEEDED
 */
export function layerImage(tree: ImageTree, bodies: number, uuid: Uint8Array): ImageParts {
  const layout = new ImageLayout(tree, bodies, false)
  const header = { ...factsOf(layout), uuid, devices: [], incompatible: chunkFlag(layout) }
  return { ...contents(layout, OWN), header: encodeHeader(header) }
}

const OWN: DeviceAddresses = { id: () => 0, start: () => 0 }

export interface MergedImageOptions {
  /** Those that bodies are on, in the order of their numbers. */
  devices: readonly DeviceLength[]
  /**
   * - `devices`: for mounts with a device for each layer (Linux 5.16), and for one device on which all follow each other,
   *   this image first (Linux 6.4).
   * - `linear`: only for one such device, and for any kernel (5.4; with chunks of sparse files, 5.15).
   */
  form: 'devices' | 'linear'
  /** 16 bytes. */
  uuid: Uint8Array
}

export interface MergedParts extends Omit<ImageParts, 'header'> {
  /** @param tags of the devices, which may become known while the rest is written */
  header: (tags: readonly ByteString[]) => Buffer
}

/**
 * The image of a tree whose bodies are on other devices: `header | directories | inodes`. The same tree can be laid out in
 * another form once this one is written.
 * @throws LIMIT_EXCEEDED
 */
export function mergedImage(tree: ImageTree, options: MergedImageOptions): MergedParts {
  const { devices, form, uuid } = options
  checkDevices(devices)
  const table = form === 'devices' ? devices : []
  const layout = new ImageLayout(tree, headerBlocks(table.length), form === 'devices')
  const starts = deviceStarts(layout.blocks, devices)
  if (starts.at(-1)! > MAX_BLOCKS)
    throw tooMany('so much data', `at most ${MAX_BLOCKS} blocks`, starts.at(-1)!)
  const incompatible = chunkFlag(layout) | (table.length > 0 ? INCOMPATIBLE.devices : 0)
  const facts = factsOf(layout)
  return {
    ...contents(layout, addressesOf(form, starts)),
    header: (tags) => encodeHeader({ ...facts, uuid, devices: tagged(table, tags), incompatible })
  }
}

function addressesOf(form: MergedImageOptions['form'], starts: readonly number[]): DeviceAddresses {
  return form === 'devices'
    ? { id: (device) => device, start: () => 0 }
    : { id: () => 0, start: (device) => starts[device - 1]! }
}

const MAX_DEVICES = 0xffff
const MAX_TAG = 64

function checkDevices(devices: readonly DeviceLength[]): void {
  if (devices.length > MAX_DEVICES)
    throw tooMany('so many devices', `at most ${MAX_DEVICES}`, devices.length)
}

function tagged(devices: readonly DeviceLength[], tags: readonly ByteString[]): Device[] {
  if (tags.some((tag) => toBuffer(tag).length > MAX_TAG))
    throw new Error('the tag of a device is too long')
  return devices.map(({ blocks }, i) => ({ blocks, tag: tags[i]! }))
}

function chunkFlag({ hasChunks }: ImageLayout): number {
  return hasChunks ? INCOMPATIBLE.chunks : 0
}

function contents(layout: ImageLayout, addresses: DeviceAddresses): Omit<ImageParts, 'header'> {
  return {
    metadataBlock: layout.firstBlock,
    metadata: metadata(layout, addresses),
    blocks: layout.blocks
  }
}

/** What the header says about a layout. */
function factsOf({
  tree,
  order,
  blocks,
  inodeArea
}: ImageLayout): Pick<ImageHeader, 'root' | 'inodes' | 'blocks' | 'inodeArea'> {
  return { root: tree.inodes.nid(ROOT), inodes: order.length, blocks, inodeArea }
}
