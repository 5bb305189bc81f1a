import type {
  DeltaListContext,
  ImageContext,
  LayerContext,
  PrepareContext
} from '../../src/hooks/contexts.ts'
import type { Digest } from '../../src/image/digest.ts'
import type { Descriptor } from '../../src/image/types.ts'

export function digest(character: string): Digest {
  return `sha256:${character.repeat(64)}` as Digest
}

/** `reference` tells the programs of these tests how to behave. */
export function imageContext(reference: string, state = '/bundle/.oci-unpack'): ImageContext {
  return {
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    state,
    rootless: false,
    uidMap: [],
    gidMap: [{ containerId: 0, hostId: 100_000, size: 65_536 }],
    layout: '/images/debian',
    reference,
    platform: 'linux/amd64',
    manifestDigest: digest('a'),
    configDigest: digest('b'),
    layerCount: 1,
    manifest: { schemaVersion: 2, config: descriptor('b'), layers: [descriptor('c')] },
    config: {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digest('d')] }
    }
  }
}

export function layerContext(reference: string, state?: string): LayerContext {
  return { ...imageContext(reference, state), ...LAYER }
}

export function deltaListContext(reference: string): DeltaListContext {
  return { ...imageContext(reference), refresh: false }
}

export function prepareContext(reference: string, state?: string): PrepareContext {
  return { ...imageContext(reference, state), layers: [LAYER] }
}

const LAYER = {
  index: 0,
  digest: digest('c'),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  size: 1234,
  diffId: digest('d'),
  chainId: digest('e')
}

function descriptor(character: string): Descriptor {
  return { mediaType: 'application/octet-stream', digest: digest(character), size: 1 }
}
