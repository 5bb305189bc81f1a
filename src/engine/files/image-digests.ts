/**
 * What a lazy tree manifest does not state: the digests of files, from the layers of the image that the bundle was made
 * from. All layers are read, at the same time, and verified to the last byte before a digest is believed.
 */
import { probeDecompressors } from '../../codec/choice.ts'
import { toBuffer, type ByteString } from '../../bytes.ts'
import { fold } from '../../plan/fold.ts'
import { baseName, MAX_PATH_BYTES, parentPath } from '../../plan/names.ts'
import {
  findDirectory,
  INDEXED_NODES,
  newTree,
  type Directory,
  type Inode
} from '../../plan/tree.ts'
import { pathOfDirectory } from '../../plan/tree-paths.ts'
import type { DigestsDescription } from '../../rootfs/digest-sink.ts'
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { layerName, readLayerTask, type LayerSettings } from '../extract/layer-tasks.ts'
import { OrderedLayers, type LayerTurn } from '../extract/ordered-layers.ts'
import { stageLayers, type StageSettings } from '../extract/stage-layers.ts'
import { entryOf } from './spool-bodies.ts'

export interface DigestsJob {
  source: ImageSource
  image: ResolvedImage
  /** How many layers, from the base up, were unpacked with `keepDirlinks`. */
  dirlinkLayers: number
  settings: StageSettings
}

/**
 * Gives the SHA-256 (hex) of regular files, by path. A path at which the image has no regular file is left out.
 * @throws the first failure of a layer; ABORTED
 */
export async function imageDigests(
  job: DigestsJob,
  paths: readonly ByteString[]
): Promise<ReadonlyMap<ByteString, string>> {
  const found = await findFiles(job, new Set(paths))
  const linked = await hashBodies(job, withoutDigest(found.values()))
  const digests = new Map<ByteString, string>()
  for (const [path, inode] of found) {
    const sha256 = inode.sha256 ?? linked.get(inode)
    if (sha256 !== undefined) digests.set(path, toBuffer(sha256).toString('hex'))
  }
  return digests
}

/** One pass hashes what has a wanted path in its layer. In the merged tree, some of it may have become another file. */
async function findFiles(
  job: DigestsJob,
  paths: ReadonlySet<ByteString>
): Promise<ReadonlyMap<ByteString, Inode>> {
  const tree = newTree(INDEXED_NODES)
  const sink = { kind: 'digests', paths, bodies: new Set<number>() } as const
  const sinks = new Map(Array.from(job.image.manifest.layers.keys(), (layer) => [layer, sink]))
  await readLayers(job, sinks, (layer) => ({
    add: (entry) => void fold(tree, layer, entry, { keepDirlinks: layer < job.dirlinkLayers }),
    end: () => undefined
  }))
  const found = new Map<ByteString, Inode>()
  for (const path of paths) {
    const inode = fileAt(tree.root, path)
    if (inode !== undefined) found.set(path, inode)
  }
  return found
}

/** Paths of a bundle do not lead through links: in the tree that was unpacked, they are where they say. */
function fileAt(root: Directory, path: ByteString): Inode | undefined {
  const directory = findDirectory(root, parentPath(path))
  if (directory === undefined || pathOfDirectory(directory) !== parentPath(path)) return undefined
  const node = directory.children.get(baseName(path))
  return node?.kind === 'leaf' && node.inode.type === 'file' ? node.inode : undefined
}

/** Files that a layer has under other names than the wanted one, which is a hard link. */
function withoutDigest(inodes: Iterable<Inode>): Set<Inode> {
  return new Set(Array.from(inodes).filter(({ sha256 }) => sha256 === undefined))
}

async function hashBodies(
  job: DigestsJob,
  inodes: ReadonlySet<Inode>
): Promise<ReadonlyMap<Inode, ByteString>> {
  const wanted = new Map<number, Map<number, Inode>>()
  for (const inode of inodes) {
    const bodies = wanted.get(inode.layer) ?? new Map<number, Inode>()
    wanted.set(inode.layer, bodies.set(entryOf(inode).body!, inode))
  }
  const digests = new Map<Inode, ByteString>()
  if (wanted.size === 0) return digests
  const sinks = new Map(Array.from(wanted, ([layer, bodies]) => [layer, sinkOf(bodies)]))
  await readLayers(job, sinks, (layer) => ({
    add({ body, sha256 }) {
      const inode = body === undefined ? undefined : wanted.get(layer)?.get(body)
      if (inode !== undefined && sha256 !== undefined) digests.set(inode, sha256)
    },
    end: () => undefined
  }))
  return digests
}

function sinkOf(bodies: ReadonlyMap<number, Inode>): DigestsDescription {
  return { kind: 'digests', paths: new Set(), bodies: new Set(bodies.keys()) }
}

/** Reads these layers at the same time; their entries get their turns in the order of the image. */
async function readLayers(
  { source, image, settings }: DigestsJob,
  sinks: ReadonlyMap<number, DigestsDescription>,
  begin: (layer: number) => LayerTurn
): Promise<void> {
  const { layers } = image.manifest
  const job = { source, image, settings: layerSettings() }
  const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, begin)
  for (const layer of layers.keys()) if (!sinks.has(layer)) turns.complete(layer)
  const tasks = Array.from(sinks, ([layer, sink]) => readLayerTask(job, layer, sink))
  const bytes = tasks.reduce((sum, { source }) => sum + source.size, 0)
  const jobs = bytes < WORTH_THREADS ? 0 : settings.jobs
  await stageLayers(tasks, layers.length, turns, { ...settings, jobs })
}

/** With fewer bytes of blobs, this thread finishes before another thread could start. */
const WORTH_THREADS = 1024 * 1024

/** Without limits: the image, whose digest is known, was unpacked before, perhaps with higher ones than the usual. */
function layerSettings(): LayerSettings {
  const { POSITIVE_INFINITY: any } = Number
  return {
    decompressor: probeDecompressors('auto', process.env),
    limits: { entries: any, unpackedBytes: any, ratio: any, tar: { paxBytes: any } },
    pathBytes: MAX_PATH_BYTES,
    policy: { kind: 'exact', uidMap: [], gidMap: [] }
  }
}
