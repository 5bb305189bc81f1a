/** The declarations of `verify` and `copy`. */
import { LOCAL_PLACE_FORMS } from '../transport-texts.ts'
import type { Command } from '../command.ts'
import {
  REGISTRY_FLAGS,
  REGISTRY_VARIABLES,
  TWO_REGISTRIES_FLAGS,
  TWO_REGISTRIES_VARIABLES
} from '../registry-flags.ts'
import {
  DECOMPRESSOR_FLAG,
  JSON_FLAG,
  LIMIT_FLAGS,
  PLATFORM_FLAG,
  SOURCE_FLAG,
  SOURCE_LAYOUT_FLAG
} from '../flags.ts'
import { IMAGE_FORMS } from '../transport-texts.ts'

const JOBS_FLAG = {
  name: 'jobs',
  value: 'N',
  summary: 'blobs to read at once (default: one per processor; 0: no threads)'
}

export const verifyCommand: Command = {
  path: ['verify'],
  summary: 'check that images are complete, undamaged and can be unpacked',
  description:
    'Reads every blob of an image, for all platforms, and checks sizes and digests; of images also documents, diff IDs and ' +
    'the content of the layers, as unpack would. Prints a line for each blob. The exit status is 1 if something is ' +
    'missing or damaged.',
  positionals: [],
  flags: [
    { ...SOURCE_FLAG, required: false },
    {
      ...SOURCE_LAYOUT_FLAG,
      required: false,
      summary: `all images of ${LOCAL_PLACE_FORMS}`
    },
    { ...JSON_FLAG, summary: 'print one JSON object' },
    JOBS_FLAG,
    DECOMPRESSOR_FLAG,
    ...LIMIT_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack verify --image debian:12',
    'oci-unpack verify --layout ./layout --json',
    'oci-unpack verify --layout docker-archive:images.tar'
  ],
  load: async () => (await import('../run-images.ts')).runVerify
}

export const copyCommand: Command = {
  path: ['copy'],
  summary: 'copy an image between layouts, archives and registries',
  description:
    'Copies blobs unchanged and verifies them on the way. Blobs that a layout already has are left alone. An index is ' +
    'copied with all its images unless --platform chooses one. A docker-archive holds one uncompressed image. A registry ' +
    'is sent only what it does not have. From tar:FILE, an archive of a root file system becomes an image of one layer; to ' +
    'tar:FILE, the merged tree of an image is written without unpacking it. The suffix chooses the compression: .tar, ' +
    '.tar.gz, .tgz, .tar.zst, .tar.xz or .tar.bz2.',
  positionals: [
    {
      name: 'SOURCE',
      summary: IMAGE_FORMS,
      kind: 'source'
    },
    { name: 'DESTINATION', summary: 'the same; an archive must not exist yet', kind: 'source' }
  ],
  flags: [
    { ...PLATFORM_FLAG, summary: 'copy only the image for this platform' },
    {
      name: 'referrers',
      summary: 'take along what refers to the image: signatures, SBOMs, attestations'
    },
    JOBS_FLAG,
    DECOMPRESSOR_FLAG,
    ...LIMIT_FLAGS,
    ...TWO_REGISTRIES_FLAGS
  ],
  environment: TWO_REGISTRIES_VARIABLES,
  examples: [
    'oci-unpack copy debian:12 oci-archive:debian.tar:12',
    'oci-unpack copy docker-archive:saved.tar ./layout:app',
    'oci-unpack copy tar:base.tar.xz ./layout:base',
    'oci-unpack copy ./layout:app tar:app.tar.zst',
    'oci-unpack copy --platform linux/arm64 ./layout:app docker-archive:app.tar:app:1.0',
    'oci-unpack copy --referrers docker://registry.example.com/team/app:1.0 ./layout:app'
  ],
  load: async () => (await import('../run-images.ts')).runCopy
}
