/**
 * A directory of images of layers in the layout in which containerd looks for them (`layer_content_caches` of its EROFS
 * snapshotter, since 2.4): `ALGORITHM/XX/HEX.erofs` by the diff ID, where XX are its first two digits. containerd mounts
 * whatever has the name, so a file appears there complete or not at all, and is never written to.
 */
import { dirname, resolve } from 'node:path'
import type { ByteString } from '../../bytes.ts'
import { withPath } from '../../errors.ts'
import { digestAlgorithm, digestHex, type Digest } from '../../image/digest.ts'
import { imageUuid } from '../../rootfs/read-erofs.ts'
import { flush } from '../../sys/durable.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openDirectory, openFile } from '../../sys/files.ts'
import { makeDirectory } from '../../sys/names.ts'
import { openOrMakeDirectory } from '../../sys/operator-directory.ts'
import { statusIfThere } from '../../sys/status.ts'
import { makeWay } from '../../workspace/leftovers.ts'
import type { EngineEvent, OnEvent } from '../operation/events.ts'
import { layerUuid } from './image-uuid.ts'
import { shareFile, type Place } from './share-file.ts'

/**
 * What the cache has of a layer: nothing; an image that says it is that of this program; a file that is not an image at all; or
 * something that another program has put there, which is left alone.
 */
type Found = 'nothing' | 'ours' | 'broken' | 'foreign'

/**
 * @param path of a directory, which is made if it is missing; without one, `act` has no cache
 * @throws SYSCALL_FAILED, TARGET_INVALID, and what `act` throws; then a directory that is new and empty is removed
 */
export async function withLayerCache<T>(
  path: string | undefined,
  onEvent: OnEvent,
  act: (cache: LayerCache | undefined) => Promise<T>
): Promise<T> {
  if (path === undefined) return act(undefined)
  const root = openOrMakeDirectory(resolve(path))
  try {
    return await act(new LayerCache(root.fd, resolve(path), onEvent))
  } catch (error) {
    root.removeNew()
    throw error
  } finally {
    root.close()
  }
}

export class LayerCache {
  private readonly root: number
  private readonly path: string
  private readonly onEvent: OnEvent
  private readonly found = new Map<Digest, Found>()

  /** @param root descriptor of the directory @param path of it, absolute */
  constructor(root: number, path: string, onEvent: OnEvent) {
    this.root = root
    this.path = path
    this.onEvent = onEvent
  }

  /**
   * Puts what is probably the image of a layer into a private place, where it is to be compared.
   * @returns whether there is one
   * @throws SYSCALL_FAILED
   */
  lend(diffId: Digest, to: Place): boolean {
    return this.about(diffId, () => {
      const directory = this.openShard(diffId)
      if (directory === undefined) return false
      try {
        const name = fileName(diffId)
        const found = look(directory, name, diffId)
        this.found.set(diffId, found)
        if (found === 'ours') shareFile({ directory, name }, to, false)
        return found === 'ours'
      } finally {
        close(directory)
      }
    })
  }

  /**
   * Keeps an image that was made of a verified layer, unless another program has put something in its place.
   * @throws SYSCALL_FAILED
   */
  keep(diffId: Digest, from: Place): void {
    const found = this.found.get(diffId) ?? 'nothing'
    if (found === 'foreign') {
      this.onEvent(isForeign(this.pathOf(diffId)))
      return
    }
    const left = this.about(diffId, () => this.put(diffId, from, found !== 'nothing'))
    for (const path of left) this.onEvent({ type: 'leftover', path, undone: false })
    if (found !== 'nothing') this.onEvent(wasReplaced(this.pathOf(diffId)))
  }

  /** @returns paths of what dead processes had left there, which was removed */
  private put(diffId: Digest, from: Place, replaces: boolean): string[] {
    const left: string[] = []
    const directory = this.makeShard(diffId)
    try {
      makeWay(directory, dirname(this.pathOf(diffId)), (path) => left.push(path))
      shareFile(from, { directory, name: fileName(diffId) }, replaces)
      flush(directory)
      return left
    } catch (error) {
      // another process was faster, and what it has put there is complete
      if (!replaces && isErrno(error, 'EEXIST')) return left
      throw error
    } finally {
      close(directory)
    }
  }

  private openShard(diffId: Digest): number | undefined {
    const [algorithm, prefix] = shardOf(diffId)
    const above = openIfThere(this.root, algorithm)
    if (above === undefined) return undefined
    try {
      return openIfThere(above, prefix)
    } finally {
      close(above)
    }
  }

  private makeShard(diffId: Digest): number {
    const [algorithm, prefix] = shardOf(diffId)
    const above = openOrMake(this.root, algorithm)
    try {
      return openOrMake(above, prefix)
    } finally {
      close(above)
    }
  }

  private pathOf(diffId: Digest): string {
    return [this.path, ...shardOf(diffId), fileName(diffId)].join('/')
  }

  private about<T>(diffId: Digest, act: () => T): T {
    try {
      return act()
    } catch (error) {
      // a call is about a name in one of the directories on the way
      throw withPath(error, this.pathOf(diffId))
    }
  }
}

function shardOf(diffId: Digest): [algorithm: string, prefix: string] {
  return [digestAlgorithm(diffId), digestHex(diffId).slice(0, 2)]
}

function fileName(diffId: Digest): string {
  return `${digestHex(diffId)}.erofs`
}

/** A file beside an image with this suffix says where a hash tree for dm-verity is, which is a part of the image. */
const VERITY = '.dmverity'

function look(directory: number, name: ByteString, diffId: Digest): Found {
  const there = statusIfThere(directory, name)
  if (there === undefined) return 'nothing'
  const hasTree = statusIfThere(directory, name + VERITY) !== undefined
  if (there.type !== 'file' || hasTree) return 'foreign'
  const uuid = uuidOf(directory, name)
  if (uuid === undefined) return 'broken'
  return uuid === Buffer.from(layerUuid(diffId)).toString('hex') ? 'ours' : 'foreign'
}

/** `unreadable` if its mode keeps us out. */
function uuidOf(directory: number, name: ByteString): string | undefined {
  try {
    const fd = openFile(directory, name)
    try {
      return imageUuid(fd)
    } finally {
      close(fd)
    }
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return 'unreadable'
    throw error
  }
}

function openIfThere(directory: number, name: ByteString): number | undefined {
  try {
    return openDirectory(directory, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function openOrMake(directory: number, name: ByteString): number {
  try {
    makeDirectory(directory, name, 0o777)
    flush(directory)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
  return openDirectory(directory, name)
}

function isForeign(path: string): EngineEvent {
  return {
    type: 'warning',
    message:
      'Another program has put an image of a layer into the cache, or has added a hash tree to it. It is left as it is.',
    facts: { path }
  }
}

function wasReplaced(path: string): EngineEvent {
  return {
    type: 'warning',
    message: 'The cache had a damaged image of a layer, which has been replaced.',
    facts: { path }
  }
}
