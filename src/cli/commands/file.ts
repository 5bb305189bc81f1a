/** Commands for the files of an image that is not unpacked. */
import type { Command, Flag } from '../command.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'
import {
  EXTRACT_FLAGS,
  JSON_FLAG,
  LIMIT_FLAGS,
  LONG_FLAG,
  PLATFORM_FLAG,
  SOURCE_FLAG
} from '../flags.ts'

export const IMAGE_FLAGS: readonly Flag[] = [
  SOURCE_FLAG,
  PLATFORM_FLAG,
  ...EXTRACT_FLAGS,
  ...LIMIT_FLAGS,
  ...REGISTRY_FLAGS
]

export const fileListCommand: Command = {
  path: ['file', 'list'],
  aliases: ['ls'],
  summary: 'list the files of an image',
  description:
    'Prints the merged tree of an image without unpacking anything, one line for each path: PATH and everything below it, or ' +
    'everything by default. All layers are read at once and verified before the first line is printed.',
  positionals: [{ name: 'PATH', summary: 'path in the image', optional: true }],
  flags: [
    ...IMAGE_FLAGS,
    {
      ...LONG_FLAG,
      aliases: ['l'],
      summary: 'show mode, links, owner, size or device, time and target'
    },
    { ...JSON_FLAG, summary: 'print one JSON object per line, with all metadata' },
    { name: 'null', aliases: ['0'], summary: 'print unescaped names, each followed by a NUL byte' }
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack file list --image debian:12',
    'oci-unpack file list --image ./layout:v1 --long etc',
    'oci-unpack file list --image docker-archive:debian.tar -0 | grep -z passwd'
  ],
  load: async () => (await import('../run-file.ts')).runFileList
}

export const fileCatCommand: Command = {
  path: ['file', 'cat'],
  summary: 'print a file of an image',
  description:
    'Writes the content of a regular file to standard output. Links are followed inside the image. Layers are read from ' +
    'the top down, only as many as needed, and each is verified before any of its content is printed.',
  positionals: [{ name: 'PATH', summary: 'path in the image' }],
  flags: IMAGE_FLAGS,
  environment: REGISTRY_VARIABLES,
  examples: ['oci-unpack file cat --image debian:12 etc/os-release'],
  load: async () => (await import('../run-file.ts')).runFileCat
}

export const fileExtractCommand: Command = {
  path: ['file', 'extract'],
  summary: 'write files of an image below a directory',
  description:
    'Writes each PATH below DIRECTORY, under its full path in the image; a directory is written with everything in it. ' +
    'Nothing is changed until everything is verified, and a failure leaves DIRECTORY as it was.',
  positionals: [
    { name: 'PATH', summary: 'path in the image', variadic: true },
    { name: 'DIRECTORY', summary: 'directory to write below', kind: 'directory' }
  ],
  flags: [
    ...IMAGE_FLAGS,
    { name: 'overwrite', summary: 'replace existing files (never directories)' }
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack file extract --image debian:12 etc/passwd etc/group out',
    'oci-unpack file extract --image ./layout:v1 --overwrite usr/share/doc .'
  ],
  load: async () => (await import('../run-file.ts')).runFileExtract
}
