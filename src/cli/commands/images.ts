/** The declarations of `verify` and `copy`. */
import type { Command } from '../command.ts'
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
  summary: 'blobs to read at once (default: one per processor)'
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
    { ...SOURCE_LAYOUT_FLAG, required: false },
    { ...JSON_FLAG, summary: 'print one JSON object' },
    JOBS_FLAG,
    DECOMPRESSOR_FLAG,
    ...LIMIT_FLAGS
  ],
  examples: [
    'oci-unpack verify --image debian:12',
    'oci-unpack verify --layout ./layout --json',
    'oci-unpack verify --layout docker-archive:images.tar'
  ],
  load: async () => (await import('../run-images.ts')).runVerify
}

export const copyCommand: Command = {
  path: ['copy'],
  summary: 'copy an image between layouts and archives',
  description:
    'Copies blobs unchanged and verifies them on the way. Blobs that a layout already has are left alone. An index is ' +
    'copied with all its images unless --platform chooses one. A docker-archive holds one uncompressed image.',
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
    JOBS_FLAG,
    DECOMPRESSOR_FLAG,
    ...LIMIT_FLAGS.filter(({ option }) => option === 'limits.jsonBytes')
  ],
  examples: [
    'oci-unpack copy debian:12 oci-archive:debian.tar:12',
    'oci-unpack copy docker-archive:saved.tar ./layout:app',
    'oci-unpack copy --platform linux/arm64 ./layout:app docker-archive:app.tar:app:1.0'
  ],
  load: async () => (await import('../run-images.ts')).runCopy
}
