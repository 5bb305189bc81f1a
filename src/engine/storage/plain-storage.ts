/**
 * The engine's own storage: layers exist only in the tree of their bundle. A bundle is made in a private directory and
 * appears by a rename.
 */
import { CONFIG_FILE, memoryFiles, METADATA_FILE, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'
import { target } from '../../image/choice.ts'
import { listDirectory } from '../../sys/directory.ts'
import { refuseExistingBundle } from '../bundle/new-bundle.ts'
import type { Job } from '../extract/job.ts'
import type { Place } from '../extract/layer-places.ts'
import { withWorkspace } from '../place/with-workspace.ts'
import type { Workspace } from '../place/workspace.ts'
import type { LayerStorage, NewBundle } from './layer-storage.ts'

export const plainStorage: LayerStorage = {
  title: 'no hooks',
  made: (origin) => origin === undefined,
  withNewBundle: ({ image, settings: { destination, onEvent } }, act) =>
    withWorkspace(destination, onEvent, async (workspace) => {
      refuseExistingBundle(destination)
      await act(newBundle(workspace, image))
      const { digest } = target(image.descriptorPath)
      const there = new Set(listDirectory(workspace.fd))
      const files = memoryFiles(digest).filter((name) => there.has(name))
      // umoci.json comes last: it makes this a bundle
      workspace.publish([ROOTFS_DIRECTORY, ...files, CONFIG_FILE, METADATA_FILE])
    }),
  changed: () => Promise.resolve(undefined),
  refresh: () => Promise.resolve(),
  mount: () => Promise.resolve(),
  umount: () => Promise.resolve(),
  whileSelecting: (_directory, act) => act(() => Promise.resolve()),
  remove: (_bundle, removeFiles) => {
    removeFiles()
    return Promise.resolve()
  },
  collect: () => Promise.reject(nothingToCollect()),
  close: () => Promise.resolve()
}

/** `withWorkspace` removes the workspace, so nothing is left to undo. */
function newBundle(workspace: Workspace, { manifest }: Job['image']): NewBundle {
  const { fd, path, destination } = workspace
  return {
    fd,
    path,
    destination,
    extraction: { kind: 'rootfs', within: (act) => act(workspace) },
    treeManifest: { kind: 'own' },
    find: () => Promise.resolve([...manifest.layers.keys()]),
    stage: () => Promise.resolve(IN_THE_TREE),
    commit: () => Promise.resolve(),
    committed: () => IN_THE_TREE,
    show: () => Promise.resolve(),
    runtimeConfig: (made) => Promise.resolve(made),
    upgraded: () => Promise.resolve(),
    abort: () => Promise.resolve()
  }
}

const IN_THE_TREE: Place = { kind: 'rootfs' }

function nothingToCollect(): OciUnpackError {
  return new OciUnpackError(
    'HOOKS_INVALID',
    'Without hooks, there are no stored layers to remove.',
    {
      hint: 'Name a hooks.toml with {hooks}.'
    }
  )
}
