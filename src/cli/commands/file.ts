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

export const INDEX_FLAG: Flag = {
  name: 'index',
  value: 'DIRECTORY',
  summary: "directory of indexes (default: in the user's cache)",
  kind: 'directory'
}

export const fileIndexCommand: Command = {
  path: ['file', 'index'],
  summary: 'make indexes, with which any part of a layer can be read',
  description:
    'Reads and verifies every layer that has no index yet, and keeps in a file where reading can begin and the digests of what ' +
    'is between. Prints a line for each layer: digest, size of the index, size of the tar, and path.',
  positionals: [],
  flags: [...IMAGE_FLAGS, INDEX_FLAG, { ...JSON_FLAG, summary: 'print one JSON object per line' }],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack file index --image ./layout:vm',
    'oci-unpack file index --image docker://registry.example.com/vm:1 --index /var/cache/vm-indexes'
  ],
  load: async () => (await import('../run-export.ts')).runFileIndex
}

export const fileExportCommand: Command = {
  path: ['file', 'export'],
  summary: 'write a file of an image to a new file, a block device or standard output',
  description:
    'Writes the content of a regular file to OUTPUT: a new file, which appears when its layer is verified, a block device, or ' +
    '- for standard output, which is the default. Runs of zeros become holes. The layer is read once, and nothing else is ' +
    'written anywhere. With --disk, the only argument is OUTPUT. With --json and without OUTPUT, the file is only described.',
  positionals: [
    { name: 'PATH', summary: 'path in the image; not with --disk', optional: true },
    { name: 'OUTPUT', summary: 'new file, block device or -', optional: true, kind: 'file' }
  ],
  flags: [
    ...IMAGE_FLAGS,
    {
      name: 'disk',
      summary: 'export the only file in /disk, the disk of a KubeVirt containerDisk'
    },
    { name: 'inflate', summary: 'inflate a file that is compressed with gzip, zstd, xz or bzip2' },
    {
      name: 'stop-early',
      summary: 'read no further than the file, so that its layer remains unverified'
    },
    { ...JSON_FLAG, summary: 'print a JSON object that describes the file' }
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack file export --image docker://quay.io/containerdisks/fedora:latest --disk disk.qcow2',
    'oci-unpack file export --image ./layout:vm disk/disk.img /dev/vg/vm',
    'oci-unpack file export --image ./layout:vm --disk --json'
  ],
  load: async () => (await import('../run-export.ts')).runFileExport
}
