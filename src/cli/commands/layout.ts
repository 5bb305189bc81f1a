/** The declarations of the commands for a whole layout: `init`, `list` and `gc`. */
import type { Command } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import { JSON_FLAG, LAYOUT_FLAG, LONG_FLAG, SOURCE_LAYOUT_FLAG } from '../flags.ts'

export const initCommand: Command = {
  path: ['init'],
  summary: 'make an empty OCI layout',
  description: 'Makes missing parent directories too. Nothing may exist at the path.',
  positionals: [],
  flags: [LAYOUT_FLAG],
  examples: ['oci-unpack init --layout images'],
  load: async () => (await import('../run-layout.ts')).runInit
}

export const listCommand: Command = {
  path: ['list'],
  aliases: ['ls'],
  summary: 'list the tags of a layout, an archive or a repository',
  description:
    'With --long or --json, also shows what each tag names, and images without a tag. With --referrers, lists what refers' +
    ' to an image instead, as far as copy --referrers would take it along.',
  positionals: [
    {
      name: 'PLACE',
      summary: 'the same as --layout',
      optional: true,
      kind: 'source-layout'
    }
  ],
  flags: [
    { ...SOURCE_LAYOUT_FLAG, required: false },
    {
      name: 'referrers',
      value: '[TRANSPORT:]PATH[:TAG]',
      summary: 'list the signatures, SBOMs and attestations of this image',
      kind: 'source'
    },
    LONG_FLAG,
    { ...JSON_FLAG, summary: 'print one JSON array' },
    ...REGISTRY_FLAGS
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack list --layout images',
    'oci-unpack list --layout images --long',
    'oci-unpack list --layout docker-archive:saved.tar',
    'oci-unpack list docker://registry.example.com/team/app',
    'oci-unpack list --referrers docker://registry.example.com/team/app:1.0'
  ],
  load: async () => (await import('../run-list.ts')).runList
}

export const gcCommand: Command = {
  path: ['gc'],
  summary: 'remove the blobs that no image of an OCI layout needs',
  description:
    'Waits until no other process is using the layout. Files that are not blobs stay, and so do blobs of unknown ' +
    'digest algorithms. Workspaces of processes that died are removed.',
  positionals: [],
  flags: [
    LAYOUT_FLAG,
    { name: 'dry-run', summary: 'only show what would be removed' },
    { name: 'list', summary: 'show what was removed, with sizes' },
    { ...JSON_FLAG, summary: 'print the same list as a JSON object' }
  ],
  examples: [
    'oci-unpack gc --layout images',
    'oci-unpack gc --layout images --dry-run',
    'oci-unpack gc --layout images --json'
  ],
  load: async () => (await import('../run-layout.ts')).runGc
}
