/** What hooks are told about an image and its bundle. */
import type {
  BundleContext,
  DeltaListContext,
  HookLayer,
  ImageContext,
  RefreshBundleContext,
  SelectedContext
} from '../../hooks/contexts.ts'
import type { UnpackedSize } from '../../codec/size-hint.ts'
import { chainIds, type Digest } from '../../image/digest.ts'
import { pathPlatform, target } from '../../image/choice.ts'
import { platformText } from '../../image/platform.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { contextAt } from '../bundle/bundle-site.ts'
import type { Job } from '../extract/job.ts'
import { isRootless } from '../extract/rootless.ts'
import type { MadeBundle, Selected } from './layer-storage.ts'

/** For a bundle that is being made. */
export function newContext({ source, image, settings }: Job, bundle: BundleContext): ImageContext {
  const { uidMap, gidMap } = settings.policy
  const reference = settings.reference.tag ?? ''
  const rootless = isRootless(settings)
  return imageContext(bundle, image, { layout: source.path, reference, rootless, uidMap, gidMap })
}

/** For a bundle that exists. */
export function deltaContext(made: MadeBundle): DeltaListContext {
  return { ...topContext(made), refresh: made.willRefresh ?? false }
}

/** For a bundle that now belongs to another image. */
export function refreshContext(made: MadeBundle, before: ResolvedImage): RefreshBundleContext {
  const context = topContext(made)
  const parentChainId = topChainId(before)
  return parentChainId === undefined || parentChainId === context.chainId
    ? context
    : { ...context, parentChainId }
}

/** For a bundle that is now the one in use. */
export function selectedContext({ bundle, manifestDigest, link, old }: Selected): SelectedContext {
  const context = { ...contextAt(bundle), manifestDigest, link }
  if (old === undefined) return context
  return {
    ...context,
    oldBundle: old.bundle,
    oldRootfs: contextAt(old.bundle).rootfs,
    ...(old.manifestDigest === undefined ? {} : { oldManifestDigest: old.manifestDigest })
  }
}

function topContext(made: MadeBundle): ImageContext & { chainId?: Digest } {
  const context = madeContext(made)
  const chainId = topChainId(made.image)
  return chainId === undefined ? context : { ...context, chainId }
}

function madeContext({ bundle, image, layout, settings }: MadeBundle): ImageContext {
  const { rootless } = bundle.metadata
  const reference = settings.reference.tag ?? ''
  const asked = { layout, reference, rootless, ...bundle.mapped }
  return imageContext(contextAt(bundle.path), image, asked)
}

function imageContext(
  bundle: BundleContext,
  { descriptorPath, manifest, config }: ResolvedImage,
  asked: Pick<ImageContext, 'layout' | 'reference' | 'rootless' | 'uidMap' | 'gidMap'>
): ImageContext {
  return {
    ...bundle,
    ...asked,
    platform: platformText(pathPlatform(descriptorPath) ?? config),
    manifestDigest: target(descriptorPath).digest,
    configDigest: manifest.config.digest,
    layerCount: manifest.layers.length,
    manifest,
    config
  }
}

/** @param sizes by layer */
export function hookLayers(
  { manifest, config }: ResolvedImage,
  sizes: readonly (UnpackedSize | undefined)[]
): HookLayer[] {
  const diffIds = config.rootfs.diff_ids
  const chain = chainIds(diffIds)
  return manifest.layers.map(({ digest, mediaType, size }, index) => {
    const parent = chain[index - 1]
    const unpacked = sizes[index]
    return {
      index,
      digest,
      mediaType,
      size,
      ...(unpacked === undefined
        ? {}
        : { unpackedSize: unpacked.bytes, unpackedSizeIs: unpacked.is }),
      diffId: diffIds[index]!,
      chainId: chain[index]!,
      ...(parent === undefined ? {} : { parentChainId: parent })
    }
  })
}

/** The chain ID of the whole image; undefined if it has no layers. */
export function topChainId({ config }: ResolvedImage): HookLayer['chainId'] | undefined {
  return chainIds(config.rootfs.diff_ids).at(-1)
}
