/** Commands for EROFS images of layers. */
import type { Command, Positional } from '../command.ts'
import { EXTRACT_FLAGS, JSON_FLAG, LIMIT_FLAGS, PLATFORM_FLAG, SOURCE_FLAG } from '../flags.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'

export const erofsMakeCommand: Command = {
  path: ['erofs', 'make'],
  isDefault: true,
  summary: 'make EROFS images of an image and its layers',
  description:
    'Makes DIRECTORY with an EROFS image of each layer, one that joins them (merged.erofs), and erofs.json, which says how they ' +
    'belong together. All layers are verified before the directory appears. The same image always gives the same bytes. ' +
    'The word "make" may be omitted if a flag follows.',
  positionals: [{ name: 'DIRECTORY', summary: 'directory to make', kind: 'directory' }],
  flags: [
    SOURCE_FLAG,
    PLATFORM_FLAG,
    {
      name: 'vmdk',
      value: 'FORM',
      bare: 'devices',
      choices: ['devices', 'linear'],
      summary:
        'also make disk.vmdk, with which a virtual machine sees all images as one disk: for Linux 6.4 and newer (devices, as without FORM), or also for older kernels (linear)'
    },
    {
      name: 'cache',
      value: 'DIRECTORY',
      kind: 'directory',
      summary:
        'take images of layers from DIRECTORY if they are right, and put others there, where containerd finds them (layer_content_caches)'
    },
    {
      name: 'verity',
      summary:
        'also make hash trees for dm-verity beside the images (NAME.verity), with their root hashes in erofs.json'
    },
    { ...JSON_FLAG, summary: 'print what erofs.json says' },
    ...EXTRACT_FLAGS,
    ...LIMIT_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack erofs make --image debian:12 images',
    'oci-unpack erofs make --image debian:12 --vmdk images',
    'oci-unpack erofs make --image debian:12 --verity images',
    'oci-unpack erofs make --image debian:12 --cache /var/cache/erofs images'
  ],
  load: async () => (await import('../run-erofs.ts')).runErofsMake
}

const IMAGES: Positional = {
  name: 'DIRECTORY',
  summary: 'directory that "erofs make" made',
  kind: 'directory'
}

export const erofsVerifyCommand: Command = {
  path: ['erofs', 'verify'],
  summary: 'check EROFS images against their erofs.json',
  description:
    'Reads every image in DIRECTORY whole and checks its size, its digest, whose image it is, which other images it needs, and' +
    ' all names and metadata in it.',
  positionals: [IMAGES],
  flags: [
    {
      name: 'jobs',
      value: 'N',
      summary: 'images to read at once (default: one per processor; 0: no threads)'
    },
    JSON_FLAG
  ],
  examples: ['oci-unpack erofs verify images', 'oci-unpack erofs verify --json images'],
  load: async () => (await import('../run-erofs.ts')).runErofsVerify
}

export const erofsMountCommand: Command = {
  path: ['erofs', 'mount'],
  summary: 'mount EROFS images as the file system of their image',
  description:
    'Mounts the images in DIRECTORY as one read-only file system at TARGET. Before that it checks that they belong' +
    ' together and that none was cut, lengthened or exchanged; "erofs verify" also reads their content. The kernel reads the' +
    ' files themselves (Linux 6.12 and later), or loop devices, which vanish with the mount. Needs root. With --layer,' +
    ' DIRECTORY is the image that joins these layers, as hooks with extract = "image" get it.',
  positionals: [IMAGES, { name: 'TARGET', summary: 'existing directory', kind: 'directory' }],
  flags: [
    {
      name: 'options',
      aliases: ['o'],
      attached: true,
      value: 'LIST',
      repeatable: true,
      suggestions: ['nosuid', 'nodev', 'noexec', 'nosuid,nodev,noexec'],
      summary:
        'options of mount(8), separated by commas: nosuid, nodev, noexec (default: none, as containers need it; repeatable)'
    },
    {
      name: 'layer',
      option: 'layers',
      value: 'FILE',
      repeatable: true,
      kind: 'file',
      summary: 'image of a layer; bottom first (repeatable)'
    }
  ],
  examples: [
    'oci-unpack erofs mount images /mnt',
    'oci-unpack erofs mount --options=nosuid,nodev,noexec images /mnt',
    'oci-unpack erofs mount --layer lower --layer upper joined /mnt'
  ],
  load: async () => (await import('../run-erofs.ts')).runErofsMount
}

export const erofsUmountCommand: Command = {
  path: ['erofs', 'umount'],
  summary: 'unmount EROFS images',
  description:
    'Unmounts the EROFS file system at TARGET, and nothing but an EROFS file system. Needs root.',
  positionals: [{ name: 'TARGET', summary: 'where it is mounted', kind: 'directory' }],
  flags: [],
  examples: ['oci-unpack erofs umount /mnt'],
  load: async () => (await import('../run-erofs.ts')).runErofsUmount
}
