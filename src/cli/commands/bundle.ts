import type { Command } from '../command.ts'
import { HOOK_FLAGS, HOOK_VARIABLES } from '../flags.ts'

export const bundleDeleteCommand: Command = {
  path: ['bundle', 'delete'],
  summary: 'remove a bundle',
  description:
    'Removes what hooks made for the bundle (mounts, volumes), its root file system and the files of unpack. Layers stay' +
    ' in their store. Foreign files in the directory stay, and nothing is removed while something is mounted in it. A' +
    ' bundle that was not finished, or deleted in part, is removed as well.',
  positionals: [
    {
      name: 'BUNDLE',
      summary: 'bundle made by unpack, of this program or umoci',
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
