/** The declarations of the commands for bundles that exist. */
import type { Command, Positional } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import {
  EXTRACT_FLAGS,
  HOOK_CACHE_VARIABLE,
  HOOK_FLAGS,
  HOOK_VARIABLES,
  LIMIT_FLAGS,
  PLATFORM_FLAG,
  SOURCE_FLAG
} from '../flags.ts'

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
  load: async () => (await import('../run-hooks.ts')).runBundleMount
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
  load: async () => (await import('../run-hooks.ts')).runBundleUmount
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
  load: async () => (await import('../run-hooks.ts')).runBundleDelete
}

export const bundleUpgradeCommand: Command = {
  path: ['bundle', 'upgrade'],
  summary: 'unpack a new image, and carry the local changes of a bundle over',
  description:
    'Makes the directory BUNDLE from another image, with everything that was changed in OLD since it was unpacked. OLD stays' +
    ' as it is. What was changed in OLD and is as before in the new image is kept; where both have changed a path in' +
    ' different ways, that is a conflict, and nothing is made unless --conflicts decides all of them. Id maps and rootless' +
    ' are those of OLD.',
  positionals: [
    { name: 'OLD', summary: 'bundle made by unpack, or by umoci', kind: 'directory' },
    { name: 'BUNDLE', summary: 'directory to make', kind: 'directory' }
  ],
  flags: [
    { ...SOURCE_FLAG, summary: `new ${SOURCE_FLAG.summary}` },
    {
      name: 'conflicts',
      value: 'ACTION[:PATTERN]',
      summary:
        'who wins conflicts, at all paths or at those that match: keep (OLD), new (the image), or both (OLD, with the' +
        " image's beside it as .orig); the last match counts (repeatable)",
      repeatable: true
    },
    {
      name: 'only',
      value: 'PATH',
      summary: 'carry over only what was changed at or below PATH (repeatable)',
      repeatable: true
    },
    { name: 'dry-run', summary: 'print what would be carried over, and make nothing' },
    { name: 'json', summary: 'print one JSON object per path' },
    PLATFORM_FLAG,
    ...EXTRACT_FLAGS,
    ...LIMIT_FLAGS,
    ...HOOK_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: [...HOOK_VARIABLES, HOOK_CACHE_VARIABLE, ...REGISTRY_VARIABLES],
  examples: [
    'oci-unpack bundle upgrade --image debian:13 --dry-run old new',
    'oci-unpack bundle upgrade --image debian:13 --conflicts new --conflicts both:etc/** old new',
    'oci-unpack bundle upgrade --image debian:13 --only etc --only home old new'
  ],
  load: async () => (await import('../run-upgrade.ts')).runBundleUpgrade
}
