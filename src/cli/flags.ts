/** Flags that several commands share. Declarations only: they are read at every start. */
import type { UnpackLimits } from '../index.ts'
import { CHANGEABLE_FORMS, IMAGE_FORMS, PLACE_FORMS } from './transport-texts.ts'
import type { Flag, Variable } from './command.ts'

export const HELP_FLAG: Flag = { name: 'help', aliases: ['h'], summary: 'show help' }

export const VERSION_FLAG: Flag = { name: 'version', aliases: ['v'], summary: 'show the version' }

export const IMAGE_FLAG: Flag = {
  name: 'image',
  value: 'PATH[:TAG]',
  summary: 'image in an OCI layout (default tag: latest)',
  kind: 'image',
  required: true
}

/** For commands that change images, or make them. */
export const CHANGEABLE_FLAG: Flag = {
  ...IMAGE_FLAG,
  value: '[TRANSPORT:]PATH[:TAG]',
  summary: `image: ${CHANGEABLE_FORMS} (default tag: latest)`
}

/** For commands that only read. */
export const SOURCE_FLAG: Flag = {
  name: 'image',
  value: '[TRANSPORT:]PATH[:TAG]',
  summary: `image to read: ${IMAGE_FORMS}`,
  kind: 'source',
  required: true
}

export const LAYOUT_FLAG: Flag = {
  name: 'layout',
  value: 'PATH',
  summary: 'directory of an OCI layout',
  kind: 'directory',
  required: true
}

/** For commands that only read. */
export const SOURCE_LAYOUT_FLAG: Flag = {
  name: 'layout',
  value: '[TRANSPORT:]PATH',
  summary: `all images of ${PLACE_FORMS}`,
  kind: 'source-layout',
  required: true
}

export const LONG_FLAG: Flag = { name: 'long', summary: 'show details, not only names' }

export const JSON_FLAG: Flag = { name: 'json', summary: 'print JSON' }

export const PLATFORM_FLAG: Flag = {
  name: 'platform',
  value: 'OS/ARCH[/VARIANT]',
  summary: "image to choose from an index (default: the host's platform)"
}

export const ID_MAP_FLAGS: readonly Flag[] = [
  {
    name: 'uid-map',
    value: 'CONTAINER:HOST[:SIZE]',
    summary: 'map user ids to ids on disk (repeatable)',
    repeatable: true
  },
  {
    name: 'gid-map',
    value: 'CONTAINER:HOST[:SIZE]',
    summary: 'map group ids to ids on disk (repeatable)',
    repeatable: true
  }
]

export const ROOTLESS_FLAG: Flag = {
  name: 'rootless',
  summary: 'need no privileges: own all files, keep owners in an attribute, devices as empty files'
}

const DECOMPRESSORS = ['auto', 'none', 'isal', 'igzip', 'unpigz', 'pigz', 'gzip', 'zstd']

export const DECOMPRESSOR_FLAG: Flag = {
  name: 'decompressor',
  value: 'NAME',
  summary: `what decompresses layers: ${DECOMPRESSORS.join(', ')} or an absolute path (default: auto)`,
  suggestions: DECOMPRESSORS,
  kind: 'file'
}

export const EXTRACT_FLAGS: readonly Flag[] = [
  {
    name: 'keep-dirlinks',
    summary: 'keep a symbolic link to a directory when a layer has a directory of that name'
  },
  {
    name: 'jobs',
    value: 'N',
    summary: 'layers to read at once (default: one per processor; 0: no threads)'
  },
  DECOMPRESSOR_FLAG
]

interface LimitFlag extends Flag {
  option: `limits.${keyof UnpackLimits}`
}

export const LIMIT_FLAGS: readonly LimitFlag[] = [
  {
    name: 'max-entries',
    option: 'limits.entries',
    value: 'N',
    summary: 'entries in all layers (default: 10,000,000)'
  },
  {
    name: 'max-unpacked-bytes',
    option: 'limits.unpackedBytes',
    value: 'N',
    summary: 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
  },
  {
    name: 'max-ratio',
    option: 'limits.ratio',
    value: 'N',
    summary: 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
  },
  {
    name: 'max-path-bytes',
    option: 'limits.pathBytes',
    value: 'N',
    summary: 'bytes of a path (default: 4095)'
  },
  {
    name: 'max-json-bytes',
    option: 'limits.jsonBytes',
    value: 'N',
    summary: 'bytes of a JSON document (default: 4 MiB)'
  },
  {
    name: 'max-pax-bytes',
    option: 'limits.paxBytes',
    value: 'N',
    summary: 'bytes of a PAX header (default: 1 MiB)'
  }
]

export const HOOK_FLAGS: readonly Flag[] = [
  {
    name: 'hooks',
    value: 'FILE',
    summary: 'hooks.toml that decides where layers are stored (default: the first one found)',
    kind: 'file'
  },
  {
    name: 'no-hooks',
    option: 'hooks: undefined',
    summary: 'use no hooks, even if a hooks.toml is found'
  },
  {
    name: 'trace',
    option: 'hooks.trace',
    value: 'FILE',
    summary: 'append every hook call to FILE, as a line of JSON',
    kind: 'file'
  }
]

export const HOOK_VARIABLES: readonly Variable[] = [
  { name: 'OCI_UNPACK_HOOKS', summary: 'hooks.toml to use if --hooks is not given' },
  {
    name: 'XDG_CONFIG_HOME',
    summary: 'directory in which oci-unpack/hooks.toml is looked for next (default: ~/.config)'
  }
]

export const HOOK_CACHE_VARIABLE: Variable = {
  name: 'XDG_CACHE_HOME',
  summary: 'directory for cached tree manifests and compiled code (default: /var/cache or ~/.cache)'
}
