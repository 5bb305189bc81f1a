/** The declarations of the commands that add a layer, and of `diff`. */
import {
  COMPRESS_FLAGS,
  HISTORY_FLAGS,
  MASK_FLAGS,
  SOURCE_DATE_EPOCH,
  TAG_FLAG
} from '../change-flags.ts'
import type { Command } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import {
  CHANGEABLE_FLAG,
  HOOK_CACHE_VARIABLE,
  HOOK_FLAGS,
  HOOK_VARIABLES,
  ID_MAP_FLAGS,
  PLATFORM_FLAG,
  ROOTLESS_FLAG
} from '../flags.ts'

export const repackCommand: Command = {
  path: ['repack'],
  summary: 'add the changes in a bundle to its image, as a layer',
  description:
    'Adds one layer with the changes in BUNDLE to the image it was unpacked from, and gives the result the tag of --image. ' +
    'If nothing changed, only a history entry is added. A registry is sent only what it does not have, and a layout is ' +
    'given what it lacks of an image that came from a registry.',
  positionals: [
    {
      name: 'BUNDLE',
      summary: 'bundle made by unpack, or by umoci',
      kind: 'directory'
    }
  ],
  flags: [
    CHANGEABLE_FLAG,
    {
      name: 'refresh-bundle',
      summary: 'make the bundle belong to the new image, for the next repack'
    },
    ...HOOK_FLAGS,
    {
      name: 'verify-delta',
      summary: 'check every file anyway, and fail if hooks left out a change'
    },
    ...MASK_FLAGS,
    ...COMPRESS_FLAGS,
    ...HISTORY_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: [SOURCE_DATE_EPOCH, ...HOOK_VARIABLES, HOOK_CACHE_VARIABLE, ...REGISTRY_VARIABLES],
  examples: [
    'oci-unpack repack --image debian:12-changed bundle',
    'oci-unpack repack --image debian:12 --refresh-bundle --mask-path /var/cache bundle',
    'SOURCE_DATE_EPOCH=0 oci-unpack repack --image debian:12 --compress zstd bundle',
    'oci-unpack repack --image docker://registry.example.com/team/app:2 bundle'
  ],
  load: async () => (await import('../run-change.ts')).runRepack
}

export const diffCommand: Command = {
  path: ['diff'],
  summary: 'show what repack would put into the layer',
  description:
    'Prints each path that was added, changed or deleted since BUNDLE was unpacked or last refreshed. ' +
    'Neither the bundle nor the image is changed.',
  positionals: [
    {
      name: 'BUNDLE',
      summary: 'bundle made by unpack, or by umoci',
      kind: 'directory'
    }
  ],
  flags: [
    ...MASK_FLAGS,
    { name: 'json', summary: 'print one JSON object per path' },
    { name: 'jobs', value: 'N', summary: 'processors to use (default: all; 0: no threads)' }
  ],
  examples: ['oci-unpack diff bundle', 'oci-unpack diff --json --mask-path /tmp bundle'],
  load: async () => (await import('../run-change.ts')).runDiff
}

export const insertCommand: Command = {
  path: ['insert'],
  summary: 'add a file or directory to an image as a layer',
  description:
    'Adds one layer that puts SOURCE, from the host, at TARGET in the image. With --whiteout there is no SOURCE, and ' +
    'TARGET is deleted. The parent directories of TARGET do not get entries.',
  positionals: [
    {
      name: 'SOURCE',
      summary: 'file or directory on the host (not with --whiteout)',
      optional: true,
      kind: 'file'
    },
    { name: 'TARGET', summary: 'path in the image', optional: true }
  ],
  flags: [
    CHANGEABLE_FLAG,
    TAG_FLAG,
    PLATFORM_FLAG,
    { name: 'opaque', summary: 'hide what the image already has in the directory TARGET' },
    { name: 'whiteout', summary: 'delete TARGET' },
    {
      ...ROOTLESS_FLAG,
      summary: 'owners are root, or what the attribute user.rootlesscontainers says'
    },
    ...ID_MAP_FLAGS,
    ...COMPRESS_FLAGS,
    ...HISTORY_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: [SOURCE_DATE_EPOCH, ...REGISTRY_VARIABLES],
  examples: [
    'oci-unpack insert --image debian:12 --tag 12-app ./app /opt/app',
    'oci-unpack insert --image debian:12 --opaque ./conf /etc/app',
    'oci-unpack insert --image debian:12 --whiteout /usr/share/doc'
  ],
  load: async () => (await import('../run-change.ts')).runInsert
}

export const addLayerCommand: Command = {
  path: ['raw', 'add-layer'],
  summary: 'add a tar archive to an image as a layer',
  description:
    'The archive becomes the layer unchanged, apart from its compression. It may be a file, a pipe or /dev/stdin, and may ' +
    'be compressed with gzip or zstd. What unpack could not read is refused.',
  positionals: [{ name: 'LAYER.TAR', summary: 'tar archive', kind: 'file' }],
  flags: [
    CHANGEABLE_FLAG,
    TAG_FLAG,
    PLATFORM_FLAG,
    ...COMPRESS_FLAGS,
    ...HISTORY_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: [SOURCE_DATE_EPOCH, ...REGISTRY_VARIABLES],
  examples: [
    'oci-unpack raw add-layer --image debian:12 --tag 12-more layer.tar',
    'tar c -C files . | oci-unpack raw add-layer --image debian:12 /dev/stdin'
  ],
  load: async () => (await import('../run-change.ts')).runAddLayer
}
