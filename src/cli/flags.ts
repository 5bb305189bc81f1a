/** Flags that several commands share. Declarations only: they are read at every start. */
import type { Flag } from './command.ts'

export const IMAGE_FLAG: Flag = {
  name: 'image',
  value: 'PATH[:TAG]',
  summary: 'image in an OCI layout; the tag is "latest" if not given',
  required: true
}

/** For commands that only read. */
export const SOURCE_FLAG: Flag = {
  name: 'image',
  value: '[TRANSPORT:]PATH[:TAG]',
  summary: 'image in an OCI layout (oci:, the default), an oci-archive: or a docker-archive:',
  required: true
}

export const LAYOUT_FLAG: Flag = {
  name: 'layout',
  value: 'PATH',
  summary: 'directory of an OCI layout',
  required: true
}

/** For commands that only read. */
export const SOURCE_LAYOUT_FLAG: Flag = {
  name: 'layout',
  value: '[TRANSPORT:]PATH',
  summary: 'OCI layout (oci:, the default), oci-archive: or docker-archive:',
  required: true
}

export const LONG_FLAG: Flag = { name: 'long', summary: 'show more than the names' }

export const JSON_FLAG: Flag = { name: 'json', summary: 'print JSON' }

export const PLATFORM_FLAG: Flag = {
  name: 'platform',
  value: 'OS/ARCH[/VARIANT]',
  summary: "which image of an index (default: the host's)"
}

export const ID_MAP_FLAGS: readonly Flag[] = [
  {
    name: 'uid-map',
    value: 'CONTAINER:HOST[:SIZE]',
    summary: 'user ids on disk (repeatable)',
    repeatable: true
  },
  {
    name: 'gid-map',
    value: 'CONTAINER:HOST[:SIZE]',
    summary: 'group ids on disk (repeatable)',
    repeatable: true
  }
]

export const DECOMPRESSOR_FLAG: Flag = {
  name: 'decompressor',
  value: 'NAME',
  summary: 'auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
}

export const EXTRACT_FLAGS: readonly Flag[] = [
  {
    name: 'keep-dirlinks',
    summary: 'keep a symbolic link to a directory where a layer has a directory'
  },
  { name: 'jobs', value: 'N', summary: 'layers read at once (default: one for each processor)' },
  DECOMPRESSOR_FLAG
]

export const LIMIT_FLAGS: readonly Flag[] = [
  { name: 'max-entries', value: 'N', summary: 'entries in all layers (default: 10,000,000)' },
  {
    name: 'max-unpacked-bytes',
    value: 'N',
    summary: 'bytes of tar in all layers (default: 1 TiB)'
  },
  {
    name: 'max-ratio',
    value: 'N',
    summary: 'bytes of tar for each compressed byte of a layer (default: 1100)'
  },
  { name: 'max-path-bytes', value: 'N', summary: 'bytes of a path (default: 4095)' },
  { name: 'max-json-bytes', value: 'N', summary: 'bytes of a JSON document (default: 4 MiB)' },
  { name: 'max-pax-bytes', value: 'N', summary: 'bytes of a PAX header (default: 1 MiB)' }
]

export const HOOK_FLAGS: readonly Flag[] = [
  {
    name: 'hooks',
    value: 'FILE',
    summary: 'a hooks.toml that says where layers lie (default: the first that is found)'
  },
  { name: 'no-hooks', summary: 'no hooks, whatever is found' },
  { name: 'trace', value: 'FILE', summary: 'append every call of a hook as a line of JSON' }
]
