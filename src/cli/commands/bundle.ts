/** The declarations of the commands for bundles. */
import type { Command, Flag, Positional } from '../command.ts'
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

const JOBS: Flag = {
  name: 'jobs',
  value: 'N',
  summary: 'processors to use (default: all; 0: no threads)'
}
const JSON_LINES: Flag = { name: 'json', summary: 'print one JSON object per bundle' }

const DIRECTORY: Positional = {
  name: 'DIRECTORY',
  summary: 'directory directly below which the bundles are',
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
    ' them again. Nothing happens while something else is mounted in it, or if it needs no mount. While a process uses it,' +
    ' the sets in hooks/ wait, with a warning, until the time-out of the hook (60 s unless its hooks.toml says otherwise).',
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
  flags: [JOBS],
  examples: [
    'oci-unpack bundle save bundle tar:saved.tar.zst',
    'oci-unpack bundle save --jobs 1 bundle tar:saved.tar.xz'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundleSave
}

export const bundleListCommand: Command = {
  path: ['bundle', 'list'],
  aliases: ['ls'],
  summary: 'list the bundles in a directory',
  description:
    'Lists the bundles directly below DIRECTORY, ours and those of umoci: the image, where it is stored, its allocated size,' +
    ' whether the root file system or config.json was changed, whether something is mounted in it, and which symbolic links in' +
    ' DIRECTORY lead to it. A bundle that is broken is listed with what is wrong. "-" means that something is not known: hooks' +
    ' that have not mounted a root file system show no changes in it.',
  positionals: [DIRECTORY],
  flags: [JSON_LINES, JOBS, ...HOOK_FLAGS],
  environment: HOOK_VARIABLES,
  examples: ['oci-unpack bundle list /srv/bundles', 'oci-unpack bundle list --json /srv/bundles'],
  load: async () => (await import('../run-bundle.ts')).runBundleList
}

export const bundleSelectCommand: Command = {
  path: ['bundle', 'select'],
  summary: 'select the bundle that is in use among those in a directory',
  description:
    'Lets a symbolic link beside the bundle lead to it, in one step, and calls the hook bundle.selected, which is told of the bundle' +
    ' that was selected before. Going back is to select that one again. If the hook fails or Ctrl-C stops it, the link leads to the' +
    ' old bundle again. "bundle list" shows what is selected, and "bundle prune" never removes it.',
  positionals: [BUNDLE],
  flags: [
    {
      name: 'link',
      value: 'NAME',
      summary: 'name of the symbolic link (default: selected)'
    },
    ...HOOK_FLAGS
  ],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack bundle select /srv/app/app-7',
    'oci-unpack bundle select --link current --hooks /etc/oci-unpack/restart/hooks.toml /srv/app/app-7'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundleSelect
}

export const bundlePruneCommand: Command = {
  path: ['bundle', 'prune'],
  summary: 'remove old bundles from a directory',
  description:
    'Removes the bundles directly below DIRECTORY, all but the newest N of each image (those from one layout, repository or' +
    ' archive), as bundle delete does. A bundle stays in any case while something is mounted in it, a process has its root in it, or a' +
    ' symbolic link in DIRECTORY leads to it. One with changes stays unless --force is given. The exit status is 1 if one' +
    ' is broken or could not be removed.',
  positionals: [DIRECTORY],
  flags: [
    { name: 'keep', value: 'N', summary: 'newest bundles of each image to keep', required: true },
    { name: 'dry-run', summary: 'remove nothing, only show what would be removed' },
    { name: 'force', summary: 'remove bundles with changes, too: the changes are lost' },
    JSON_LINES,
    JOBS,
    ...HOOK_FLAGS
  ],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack bundle prune --keep 3 --dry-run /srv/bundles',
    'oci-unpack bundle prune --keep 3 /srv/bundles'
  ],
  load: async () => (await import('../run-bundle.ts')).runBundlePrune
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
