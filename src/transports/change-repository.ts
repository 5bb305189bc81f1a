/** Changes images in a repository of a registry: in a private layout, from which they are uploaded. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { DEFAULT_TAG, REF_NAME } from '../image/tags.ts'
import type { RepositoryAccess } from '../registry/registry-images.ts'
import type { ImageSource } from '../store/image-source.ts'
import { updateIndex } from '../store/index-update.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { openWorkspace } from '../store/layout-workspace.ts'
import { makePrivateLayout } from '../store/new-layout.ts'
import { accessTo, openImages, referenceOf, type RepositoryName } from './repository-access.ts'
import type { ChangeableImages, ChangeOptions, TransferHelp } from './transport.ts'
import { writeRegistry } from './write-registry.ts'

/** The layout gets the entry of the image; documents and layers are read from the registry. */
export async function changeInRepository(
  name: RepositoryName,
  options: ChangeOptions
): Promise<ChangeableImages> {
  const access = await accessTo(name, 'write', options)
  const local = makePrivateLayout()
  const open: { close(): void }[] = [access, local]
  const close = (): void => {
    for (const part of open) part.close()
  }
  try {
    const empty = openLayout(local.path, options)
    const base = await openBase(name, access, options)
    if (base !== undefined) open.push(base)
    const layout = base === undefined ? empty : await withBase(empty, base, options)
    const publish = async (tag: string, help: TransferHelp): Promise<void> => {
      const image = { source: layout, tag, platform: undefined }
      await writeRegistry({ ...access, tag }, image, help)
    }
    return { layout, tag: name.tag ?? DEFAULT_TAG, publish, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Undefined if the new image has no base. */
async function openBase(
  name: RepositoryName,
  access: RepositoryAccess,
  options: ChangeOptions
): Promise<ImageSource | undefined> {
  const reference = options.base?.() ?? referenceOf(name)
  if (reference === 'none') return undefined
  try {
    return await openImages(access, reference, options)
  } catch (error) {
    if (!isNotThere(error) || options.elsewhere === undefined) throw error
    return options.elsewhere(error)
  }
}

function isNotThere(error: unknown): error is OciUnpackError {
  if (!(error instanceof OciUnpackError)) return false
  return error.code === 'MANIFEST_NOT_FOUND' || error.code === 'REPOSITORY_NOT_FOUND'
}

async function withBase(empty: Layout, base: ImageSource, options: ChangeOptions): Promise<Layout> {
  await setIndex(empty, base)
  const layout = above(empty, base)
  const [entry] = base.readIndex().manifests
  const tag = entry!.annotations?.[REF_NAME] ?? `@${entry!.digest}`
  await layout.prepare(() => options.documents(layout, tag))
  return layout
}

async function setIndex(layout: Layout, base: ImageSource): Promise<void> {
  const nobodyElse = (): Promise<void> => Promise.resolve()
  const workspace = await openWorkspace(layout.path, nobodyElse)
  try {
    await updateIndex(workspace, () => base.readIndex(), nobodyElse)
  } finally {
    workspace.close()
  }
}

/** The layout, with whatever it lacks read from below. */
function above(layout: Layout, base: ImageSource): Layout {
  const holder = (digest: Digest): ImageSource => (layout.hasBlob(digest) ? layout : base)
  return {
    ...layout,
    ...(base.repository === undefined ? {} : { repository: base.repository }),
    readDocument: (descriptor) => holder(descriptor.digest).readDocument(descriptor),
    blobSource: (descriptor) => holder(descriptor.digest).blobSource(descriptor),
    ...(base.isThere === undefined
      ? {}
      : {
          isThere: async (descriptor) =>
            layout.hasBlob(descriptor.digest) || (await base.isThere!(descriptor))
        }),
    ...(base.referrers === undefined ? {} : { referrers: base.referrers }),
    prepare: (reading) => base.prepare(reading)
  }
}
