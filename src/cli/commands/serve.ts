/** The command that serves files of an image to other programs. */
import type { Command } from '../command.ts'
import { REGISTRY_VARIABLES } from '../registry-flags.ts'
import { IMAGE_FLAGS, INDEX_FLAG } from './file.ts'

export const fileServeCommand: Command = {
  path: ['file', 'serve'],
  summary: 'serve files of an image as network block devices (NBD)',
  description:
    'Serves each PATH read-only by the NBD protocol, without TLS, for qemu, nbd-client, nbdcopy and others, until a signal or ' +
    'the end of the command of --run. The name of an export is its path without the first slash, and the first PATH is the ' +
    'default export. When the server listens, it prints the URI of each export. A socket belongs to this user alone, while a ' +
    'port can be reached by all users of this machine.',
  positionals: [
    {
      name: 'PATH',
      summary: 'path in the image of a regular file; not needed with --disk',
      optional: true,
      variadic: true
    }
  ],
  flags: [
    ...IMAGE_FLAGS,
    INDEX_FLAG,
    {
      name: 'disk',
      summary:
        'serve the only file in /disk, the disk of a KubeVirt containerDisk, as the default export'
    },
    {
      name: 'socket',
      value: 'PATH',
      summary: 'Unix socket to make and listen on (default with --run: a temporary one)',
      kind: 'file'
    },
    {
      name: 'port',
      value: 'N',
      summary: 'TCP port on 127.0.0.1 to listen on; 0 for any that is free'
    },
    {
      name: 'pid-file',
      value: 'FILE',
      summary:
        'write the id of the process to FILE once the server listens; one of a server that has ended is replaced',
      kind: 'file'
    },
    {
      name: 'run',
      value: 'COMMAND',
      summary:
        'run COMMAND with sh, then end with its exit status; $uri, $unixsocket, $port and $exportname say where the server is'
    }
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    `oci-unpack file serve --image docker://quay.io/containerdisks/fedora:latest --disk --run 'qemu-img convert -O raw "$uri" disk.raw'`,
    'oci-unpack file serve --image ./layout:vm --socket /run/user/1000/vm.sock disk/disk.img seed.iso'
  ],
  load: async () => (await import('../run-serve.ts')).runFileServe
}
