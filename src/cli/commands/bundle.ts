/** The declarations of the commands for bundles. */
import type { Command, Positional } from '../command.ts'
import { HOOK_FLAGS, HOOK_VARIABLES } from '../flags.ts'

const BUNDLE: Positional = {
  name: 'BUNDLE',
  summary: 'bundle made by unpack',
  kind: 'directory'
}

export const bundleMountCommand: Command = {
  path: ['bundle', 'mount'],
  summary: 'mount the root file system of a bundle again',
  description:
    'Has the hooks that made the bundle mount its root file system, with all changes that were made in it: for example' +
    ' after a reboot. Does nothing if it is mounted, or if the root file system is a directory and needs no mount.',
  positionals: [BUNDLE],
  flags: HOOK_FLAGS,
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack bundle mount bundle',
    'oci-unpack bundle mount --hooks /etc/oci-unpack/overlay/hooks.toml bundle'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundleMount
}

export const bundleUmountCommand: Command = {
  path: ['bundle', 'umount'],
  summary: 'unmount the root file system of a bundle',
  description:
    'Has the hooks that made the bundle unmount its root file system. All changes in it are kept, and "bundle mount" shows' +
    ' them again. Nothing happens while something else is mounted in it, or if it needs no mount.',
  positionals: [BUNDLE],
  flags: HOOK_FLAGS,
  environment: HOOK_VARIABLES,
  examples: ['oci-unpack bundle umount bundle'],
  load: async () => (await import('../run-bundle.ts')).runBundleUmount
}

export const bundleDeleteCommand: Command = {
  path: ['bundle', 'delete'],
  summary: 'remove a bundle',
  description:
    'Removes the root file system of the bundle, the files that unpack wrote, and what hooks made for it (mounts, volumes).' +
    ' Layers stay in their storage, and other files in the directory stay too. Nothing is removed while something is' +
    ' mounted in the bundle. An unfinished or partly deleted bundle is removed as well.',
  positionals: [{ ...BUNDLE, summary: 'bundle made by unpack, or by umoci' }],
  flags: HOOK_FLAGS,
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack bundle delete bundle',
    'oci-unpack bundle delete --hooks /etc/oci-unpack/overlay/hooks.toml bundle'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundleDelete
}

export const bundleSaveCommand: Command = {
  path: ['bundle', 'save'],
  summary: 'pack the root file system of a bundle into an archive',
  description:
    'Packs the root file system of the bundle as it is now, changed or not, with the owners that the image has. An unpack' +
    ' of the archive makes the same tree again. The archive appears when it is complete, and never replaces anything.' +
    ' The config of the image (command, environment, user) is not in it: repack makes an image with both.',
  positionals: [
    { ...BUNDLE, summary: 'bundle made by unpack, or by umoci' },
    {
      name: 'tar:FILE',
      summary:
        'new archive; its name decides the compression: .tar, .tar.gz, .tgz, .tar.zst, .tar.xz or .tar.bz2',
      kind: 'source'
    }
  ],
  flags: [{ name: 'jobs', value: 'N', summary: 'processors to use (default: all)' }],
  examples: [
    'oci-unpack bundle save bundle tar:saved.tar.zst',
    'oci-unpack bundle save --jobs 1 bundle tar:saved.tar.xz'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundleSave
}
