/** The declarations of `unpack` and `raw unpack`. */
import type { Command, Flag } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import {
  EXTRACT_FLAGS,
  HOOK_CACHE_VARIABLE,
  HOOK_FLAGS,
  HOOK_VARIABLES,
  ID_MAP_FLAGS,
  SOURCE_FLAG,
  LIMIT_FLAGS,
  PLATFORM_FLAG,
  ROOTLESS_FLAG
} from '../flags.ts'

const KEEP_FLAG: Flag = {
  name: 'layout',
  value: 'PATH[:TAG]',
  summary:
    'OCI layout that first gets the blobs which it lacks, and keeps them (default tag: that of the image)',
  kind: 'image'
}

const rawFlags = [
  SOURCE_FLAG,
  PLATFORM_FLAG,
  KEEP_FLAG,
  ...EXTRACT_FLAGS,
  ROOTLESS_FLAG,
  ...ID_MAP_FLAGS,
  ...LIMIT_FLAGS,
  ...REGISTRY_FLAGS
]

const MANIFEST_FLAG: Flag = {
  name: 'manifest',
  value: 'KIND',
  summary:
    'whether the tree manifest states digests: lazy ones are read from the image when needed (default: full)',
  choices: ['full', 'lazy']
}

export const unpackCommand: Command = {
  path: ['unpack'],
  summary: 'unpack an image into a runtime bundle',
  description:
    'Makes the directory BUNDLE with rootfs, config.json and the files that a later repack needs. Layers are read in' +
    ' parallel, and all are verified (size, digest, diff ID) before the bundle appears. A failure leaves nothing behind.',
  positionals: [{ name: 'BUNDLE', summary: 'directory to make', kind: 'directory' }],
  flags: [...rawFlags, MANIFEST_FLAG, ...HOOK_FLAGS],
  environment: [...HOOK_VARIABLES, HOOK_CACHE_VARIABLE, ...REGISTRY_VARIABLES],
  examples: [
    'oci-unpack unpack --image debian:12 bundle && runc run -b bundle demo',
    'oci-unpack unpack --image ./layout:v1 --platform linux/arm64 bundle',
    'oci-unpack unpack --image docker-archive:debian.tar bundle',
    'oci-unpack unpack --rootless --image debian:12 bundle',
    'oci-unpack unpack --image ./layout --uid-map 0:100000:65536 --gid-map 0:100000:65536 bundle'
  ],
  load: async () => (await import('../run-unpack.ts')).runUnpack
}

export const rawUnpackCommand: Command = {
  path: ['raw', 'unpack'],
  summary: 'unpack only the root file system of an image',
  description:
    'Makes the directory ROOTFS, or unpacks over an existing one: files that are not in the image stay. ' +
    'An existing directory is not changed until all layers are verified.',
  positionals: [
    { name: 'ROOTFS', summary: 'directory to make, or to unpack over', kind: 'directory' }
  ],
  flags: rawFlags,
  environment: REGISTRY_VARIABLES,
  examples: ['oci-unpack raw unpack --image debian:12 rootfs'],
  load: async () => (await import('../run-unpack.ts')).runRawUnpack
}
