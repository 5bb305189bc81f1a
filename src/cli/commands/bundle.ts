/** The declaration of `bundle delete`. */
import type { Command } from '../command.ts'
import { HOOK_FLAGS, HOOK_VARIABLES } from '../flags.ts'

export const bundleDeleteCommand: Command = {
  path: ['bundle', 'delete'],
  summary: 'remove a bundle',
  description:
    'Removes the root file system of the bundle, the files that unpack wrote, and what hooks made for it (mounts, volumes).' +
    ' Layers stay in their storage, and other files in the directory stay too. Nothing is removed while something is' +
    ' mounted in the bundle. An unfinished or partly deleted bundle is removed as well.',
  positionals: [
    {
      name: 'BUNDLE',
      summary: 'bundle made by unpack, or by umoci',
      kind: 'directory'
    }
  ],
  flags: HOOK_FLAGS,
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack bundle delete bundle',
    'oci-unpack bundle delete --hooks /etc/oci-unpack/overlay/hooks.toml bundle'
  ],
  load: async () => (await import('../run-hooks.ts')).runBundleDelete
}
