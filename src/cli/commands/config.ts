/** The declarations of `config` and `raw runtime-config`. */
import { HISTORY_FLAGS, SOURCE_DATE_EPOCH, TAG_FLAG } from '../change-flags.ts'
import type { ClearKey } from '../../index.ts'
import type { Command, Flag } from '../command.ts'
import { CHANGEABLE_FLAG, ID_MAP_FLAGS, PLATFORM_FLAG, SOURCE_FLAG } from '../flags.ts'
import { REGISTRY_FLAGS, REGISTRY_VARIABLES } from '../registry-flags.ts'

const CLEAR_KEYS = [
  'config.labels',
  'config.exposedports',
  'config.env',
  'config.volume',
  'config.cmd',
  'config.entrypoint',
  'manifest.annotations'
] as const satisfies readonly ClearKey[]

const CONFIG_FLAGS: readonly Flag[] = [
  { name: 'author', value: 'NAME', summary: 'who made the image' },
  { name: 'created', value: 'DATE', summary: 'when the image was made (RFC 3339)' },
  {
    name: 'architecture',
    aliases: ['platform.arch'],
    value: 'ARCH',
    summary: "architecture the image is for (Go's name)"
  },
  {
    name: 'os',
    aliases: ['platform.os'],
    value: 'OS',
    summary: "operating system the image is for (Go's name)"
  },
  { name: 'platform.os.version', value: 'VERSION', summary: 'version of the operating system' },
  { name: 'platform.variant', value: 'VARIANT', summary: 'variant of the architecture' },
  { name: 'config.user', value: 'USER[:GROUP]', summary: 'user that the process runs as' },
  many('config.exposedports', 'PORT[/PROTOCOL]', 'add a port that the container listens on'),
  many('config.env', 'NAME=VALUE', 'set an environment variable'),
  many('config.entrypoint', 'ARG', 'add an argument to the new entrypoint'),
  many('config.cmd', 'ARG', 'add an argument to the new command'),
  many('config.volume', 'PATH', 'add a volume'),
  many('config.label', 'NAME=VALUE', 'set a label'),
  { name: 'config.workingdir', value: 'PATH', summary: 'working directory of the process' },
  { name: 'config.stopsignal', value: 'SIGNAL', summary: 'signal that asks the process to exit' },
  many('manifest.annotation', 'NAME=VALUE', 'set an annotation of the manifest'),
  {
    ...many(
      'clear',
      'KEY',
      `clear this before setting anything: ${CLEAR_KEYS.slice(0, -1).join(', ')} or ${CLEAR_KEYS.at(-1)!}`
    ),
    suggestions: CLEAR_KEYS
  }
]

export const configCommand: Command = {
  path: ['config'],
  summary: 'change the config of an image',
  description:
    'Changes only the given fields and keeps all others, including fields unknown to this program. ' +
    'An empty value removes a field. Values may begin with a dash.',
  positionals: [],
  flags: [
    CHANGEABLE_FLAG,
    TAG_FLAG,
    PLATFORM_FLAG,
    ...CONFIG_FLAGS,
    ...HISTORY_FLAGS,
    ...REGISTRY_FLAGS
  ],
  environment: [
    { ...SOURCE_DATE_EPOCH, summary: 'date of the history entry, in seconds since 1970' },
    ...REGISTRY_VARIABLES
  ],
  examples: [
    'oci-unpack config --image debian:12 --tag 12-app --config.entrypoint /bin/sh --config.cmd -c --config.cmd date',
    'oci-unpack config --image debian:12 --clear config.env --config.env PATH=/bin --config.user 1000:100',
    'SOURCE_DATE_EPOCH=0 oci-unpack config --image debian:12 --created 1970-01-01T00:00:00Z'
  ],
  load: async () => (await import('../run-config.ts')).runConfig
}

export const runtimeConfigCommand: Command = {
  path: ['raw', 'runtime-config'],
  aliases: ['config'],
  summary: 'write the runtime configuration of an image',
  description:
    'Writes the config.json that unpack would put into a bundle. Without --rootfs, a user or group given by name in the' +
    ' image becomes 0:0, and root.path is the directory that contains the file.',
  positionals: [{ name: 'CONFIG.JSON', summary: 'file to write', kind: 'file' }],
  flags: [
    SOURCE_FLAG,
    PLATFORM_FLAG,
    {
      name: 'rootfs',
      value: 'DIR',
      summary: "root file system with the image's users and groups; becomes root.path",
      kind: 'directory'
    },
    ...ID_MAP_FLAGS,
    {
      name: 'rootless',
      summary:
        'write a config for a runtime without privileges; without id maps, 0 is mapped to your own id'
    },
    ...REGISTRY_FLAGS
  ],
  environment: REGISTRY_VARIABLES,
  examples: [
    'oci-unpack raw runtime-config --image debian:12 --rootfs rootfs config.json',
    'oci-unpack raw runtime-config --image debian:12 --rootless config.json'
  ],
  load: async () => (await import('../run-config.ts')).runRuntimeConfig
}

function many(name: string, value: string, summary: string): Flag {
  return { name, value, summary: `${summary} (repeatable)`, repeatable: true }
}
