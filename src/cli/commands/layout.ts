import type { Command } from '../command.ts'
import { JSON_FLAG, LAYOUT_FLAG, LONG_FLAG, SOURCE_LAYOUT_FLAG } from '../flags.ts'

export const initCommand: Command = {
  path: ['init'],
  summary: 'make an empty OCI layout',
  description: 'Missing directories above it are made too. There must be nothing at its path.',
  positionals: [],
  flags: [LAYOUT_FLAG],
  examples: ['oci-unpack init --layout images'],
  load: async () => (await import('../run-layout.ts')).runInit
}

export const listCommand: Command = {
  path: ['list'],
  aliases: ['ls'],
  summary: 'list the tags of an OCI layout or archive',
  description: 'With --long or --json also what they name, and images without a tag.',
  positionals: [],
  flags: [
    SOURCE_LAYOUT_FLAG,
    LONG_FLAG,
    { ...JSON_FLAG, summary: 'one JSON array for all images' }
  ],
  examples: [
    'oci-unpack list --layout images',
    'oci-unpack list --layout images --long',
    'oci-unpack list --layout docker-archive:saved.tar'
  ],
  load: async () => (await import('../run-list.ts')).runList
}

export const gcCommand: Command = {
  path: ['gc'],
  summary: 'remove the blobs that no tag of an OCI layout leads to',
  description:
    'Waits until nobody reads or changes the layout. Files that are no blobs stay, and so do blobs of algorithms ' +
    'that are not known here; workspaces whose owner died go.',
  positionals: [],
  flags: [
    LAYOUT_FLAG,
    { name: 'dry-run', summary: 'only list what would be removed' },
    { name: 'list', summary: 'list what was removed, with sizes' },
    { ...JSON_FLAG, summary: 'the same list as a JSON object' }
  ],
  examples: [
    'oci-unpack gc --layout images',
    'oci-unpack gc --layout images --dry-run',
    'oci-unpack gc --layout images --json'
  ],
  load: async () => (await import('../run-layout.ts')).runGc
}
