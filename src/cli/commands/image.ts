/** The declarations of the commands for one image: `new`, `tag`, `remove` and `stat`. */
import type { Command } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import {
  CHANGEABLE_FLAG,
  IMAGE_FLAG,
  JSON_FLAG,
  LONG_FLAG,
  PLATFORM_FLAG,
  SOURCE_FLAG
} from '../flags.ts'

const ONE_PLATFORM = {
  ...PLATFORM_FLAG,
  summary: 'only the image for this platform of an index (default: all)'
}

export const newCommand: Command = {
  path: ['new'],
  summary: 'make an image without layers',
  description:
    'The image is for the platform of this machine. If another image has the tag, it loses it.',
  positionals: [],
  flags: [CHANGEABLE_FLAG, ...REGISTRY_FLAGS],
  environment: [
    { name: 'SOURCE_DATE_EPOCH', summary: 'date of the image, in seconds since 1970' },
    ...REGISTRY_VARIABLES
  ],
  examples: [
    'oci-unpack new --image images:empty',
    'SOURCE_DATE_EPOCH=0 oci-unpack new --image images:empty'
  ],
  load: async () => (await import('../run-layout.ts')).runNew
}

export const tagCommand: Command = {
  path: ['tag'],
  summary: 'give an image another tag',
  description: 'If another image has the new tag, it loses it.',
  positionals: [{ name: 'NEW-TAG', summary: 'tag in the same layout or repository' }],
  flags: [CHANGEABLE_FLAG, ONE_PLATFORM, ...REGISTRY_FLAGS],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack tag --image images:12 stable',
    'oci-unpack tag --image images:12 --platform linux/arm64 12-arm64',
    'oci-unpack tag --image docker://registry.example.com/team/app:12 stable'
  ],
  load: async () => (await import('../run-layout.ts')).runTag
}

export const removeCommand: Command = {
  path: ['remove'],
  aliases: ['rm'],
  summary: 'remove a tag',
  description: 'The blobs stay until the next gc. It is not an error if the tag does not exist.',
  positionals: [],
  flags: [IMAGE_FLAG],
  examples: ['oci-unpack remove --image images:12'],
  load: async () => (await import('../run-layout.ts')).runRemove
}

export const statCommand: Command = {
  path: ['stat'],
  summary: 'show what an image is made of',
  description:
    'Shows manifest, config and history. For an index of several images, all are shown. Programs should use --json.',
  positionals: [],
  flags: [
    SOURCE_FLAG,
    ONE_PLATFORM,
    { name: 'history', summary: 'show only the history, as a table' },
    { ...LONG_FLAG, summary: 'show everything, which is the default' },
    { ...JSON_FLAG, summary: 'print one line of JSON with the documents as they are stored' },
    ...REGISTRY_FLAGS
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack stat --image images:12',
    'oci-unpack stat --image images:12 --platform linux/arm64',
    'oci-unpack stat --image docker-archive:saved.tar --history',
    'oci-unpack stat --image images:12 --json'
  ],
  load: async () => (await import('../run-stat.ts')).runStat
}
