/** Layers that arrive from far away, kept for as long as somebody has to read them more than once. */
import type { Descriptor } from '../image/types.ts'
import type { ImageSource } from '../store/image-source.ts'
import { openLayout } from '../store/layout.ts'
import { openWorkspace } from '../store/layout-workspace.ts'
import { makePrivateLayout } from '../store/new-layout.ts'
import { inTemporary } from '../store/temporary-space.ts'
import { copyBlobs } from './write-layout.ts'
import type { WriterHelp } from './transport.ts'

/**
 * Runs `act` with a source that has the layers in files: the source itself, unless it is far away. They are fetched to
 * where temporary files are, and removed afterwards. @throws BLOB_*, REGISTRY_*, SYSCALL_FAILED
 */
export async function withLayersAtHand<T>(
  source: ImageSource,
  layers: readonly Descriptor[],
  help: WriterHelp,
  act: (source: ImageSource) => Promise<T>
): Promise<T> {
  if (source.repository === undefined) return act(source)
  const local = makePrivateLayout(help.onLeftover)
  try {
    await inTemporary(local.path, () => fetchLayers(local.path, source, layers, help))
    const layout = openLayout(local.path)
    const blobSource: ImageSource['blobSource'] = (descriptor) =>
      (layout.hasBlob(descriptor.digest) ? layout : source).blobSource(descriptor)
    return await act({ ...source, blobSource })
  } finally {
    local.close()
  }
}

async function fetchLayers(
  path: string,
  source: ImageSource,
  layers: readonly Descriptor[],
  help: WriterHelp
): Promise<void> {
  const distinct = new Map(layers.map((descriptor) => [descriptor.digest, { descriptor }]))
  const workspace = await openWorkspace(path, help.wait)
  try {
    await copyBlobs(workspace, [...distinct.values()], source, {
      ...help,
      // a blob has arrived when it is where it was meant to go
      onEvent: (event) => {
        if (event.type !== 'blob') help.onEvent(event)
      }
    })
  } finally {
    workspace.close()
  }
}
