/**
 * The rooms of src, from the top down: what each is for, and what it may import. The table is defined only here: the
 * architecture test checks src against it, and docs/architecture.md repeats what each room is for.
 */

/** Rooms, or single files of them, whose values or only whose types a room may import. */
export interface Room {
  /** What it is for, as in docs/architecture.md. */
  knows: string
  values: readonly string[]
  types?: readonly string[]
  /** Node's own modules, without `node:`. */
  node?: readonly string[]
}

/** At the bottom; every room may import them. */
export const GROUND: readonly string[] = ['errors.ts', 'bytes.ts']

/** A chapter of the engine is a room inside a room: the longest matching name counts. */
export const ROOMS: Readonly<Record<string, Room>> = {
  cli: {
    knows: 'flags, printing, exit status; a command is a declaration',
    values: [
      'image/go-time.ts',
      'index.ts',
      'layout.ts',
      'inspect.ts',
      'sys/cache-directory.ts',
      'sys/failure.ts',
      'sys/read.ts',
      'sys/user-namespace.ts',
      'transports/list.ts'
    ],
    node: ['child_process', 'fs', 'module', 'net', 'os', 'path', 'tty', 'v8']
  },
  'index.ts': {
    knows: 'the library',
    values: ['layout.ts', 'conformance', 'engine', 'plan/id-map.ts'],
    types: [
      'hooks/unpack-hooks.ts',
      'image/config-changes.ts',
      'plan/upgrade/merge-plan.ts',
      'worker/control.ts'
    ]
  },
  'layout.ts': {
    knows: 'the part of the library that works on layouts',
    values: ['inspect.ts', 'engine']
  },
  'inspect.ts': {
    knows: 'the part of the library that only reads documents',
    values: ['engine'],
    types: ['registry/registry.ts', 'image']
  },
  conformance: {
    knows:
      'the kit that tests whether hooks keep their contract: generated images, cases, verdicts',
    values: [
      'engine',
      'hooks',
      'image',
      'rootfs/hash-file.ts',
      'rootfs/walk.ts',
      'rootfs/xattrs.ts',
      'store',
      'sys',
      'tar/writer.ts',
      'transports'
    ],
    types: ['tar/entry.ts'],
    node: [
      'child_process',
      'crypto',
      'fs',
      'os',
      'path',
      'stream/consumers',
      'timers/promises',
      'url'
    ]
  },
  engine: {
    knows: 'the stories: one file for each thing a user can ask for, as a page of named steps',
    values: [
      'engine/server',
      'engine/inventory',
      'engine/upgrade',
      'engine/files',
      'engine/storage',
      'engine/erofs',
      'engine/transfer',
      'engine/edit',
      'engine/changes',
      'engine/bundle',
      'engine/tree',
      'engine/extract',
      'engine/place',
      'engine/operation',
      'bundle',
      'codec',
      'disk',
      'erofs',
      'hooks',
      'image',
      'mtree',
      'nbd',
      'plan',
      'rootfs',
      'store',
      'sys',
      'tar/writer.ts',
      'transports',
      'workspace'
    ],
    types: ['registry/registry.ts'],
    node: ['fs', 'os', 'path']
  },
  'engine/server': {
    knows: 'clients on sockets: listening, answering them, and what that may cost',
    values: ['nbd', 'sys', 'workspace'],
    types: ['engine/files/image-file.ts'],
    node: ['fs', 'net', 'os', 'path', 'timers/promises']
  },
  'engine/inventory': {
    knows: 'which bundles there are, what is known of each, and whether anybody needs it',
    values: [
      'engine/files',
      'engine/storage',
      'engine/transfer',
      'engine/edit',
      'engine/changes',
      'engine/bundle',
      'engine/tree',
      'engine/operation',
      'bundle',
      'image',
      'rootfs',
      'store',
      'sys',
      'transports',
      'workspace'
    ],
    types: ['plan'],
    node: ['fs', 'path']
  },
  'engine/upgrade': {
    knows: 'local changes of a bundle on their way into a new one',
    values: [
      'engine/files',
      'engine/storage',
      'engine/edit',
      'engine/changes',
      'engine/bundle',
      'engine/tree',
      'engine/extract',
      'engine/place',
      'engine/operation',
      'bundle',
      'codec',
      'image',
      'mtree',
      'plan',
      'rootfs',
      'sys',
      'tar/writer.ts',
      'worker'
    ]
  },
  'engine/files': {
    knows: 'reading single files of an image without unpacking it',
    values: [
      'engine/transfer',
      'engine/extract',
      'engine/operation',
      'codec',
      'disk',
      'image',
      'plan',
      'random-access',
      'rootfs',
      'store',
      'sys',
      'tar/writer.ts',
      'transports',
      'worker',
      'workspace'
    ],
    types: ['engine/changes', 'bundle', 'tar/entry.ts'],
    node: ['crypto', 'fs', 'os', 'path', 'stream', 'timers/promises']
  },
  'engine/storage': {
    knows: 'where layers live between unpacks',
    values: [
      'engine/erofs',
      'engine/changes',
      'engine/bundle',
      'engine/tree',
      'engine/extract',
      'engine/place',
      'engine/operation',
      'bundle',
      'codec/size-hint.ts',
      'hooks',
      'image',
      'mtree',
      'plan',
      'rootfs',
      'sys'
    ],
    types: ['engine/edit', 'store', 'worker'],
    node: ['crypto', 'fs', 'path']
  },
  'engine/erofs': {
    knows: 'images of layers that can be mounted',
    values: [
      'engine/extract',
      'engine/place',
      'engine/operation',
      'workspace',
      'rootfs',
      'erofs',
      'verity',
      'image',
      'plan',
      'sys',
      'vmdk',
      'worker/hashes-files.ts'
    ],
    types: ['worker'],
    node: ['crypto', 'fs', 'path']
  },
  'engine/transfer': {
    knows: 'verifying blobs and images, and protecting them while they are read',
    values: [
      'engine/extract',
      'engine/operation',
      'bundle',
      'codec',
      'image',
      'plan',
      'registry/named-host.ts',
      'store',
      'transports',
      'worker'
    ],
    types: ['registry/registry.ts']
  },
  'engine/edit': {
    knows: 'from changes to a new image, and refreshing the bundle to match it',
    values: [
      'engine/bundle',
      'engine/tree',
      'engine/place',
      'engine/operation',
      'bundle',
      'codec',
      'image',
      'plan',
      'rootfs',
      'store',
      'sys',
      'tar/writer.ts',
      'transports',
      'worker'
    ],
    types: ['engine/changes', 'mtree', 'registry/registry.ts', 'tar/entry.ts'],
    node: ['crypto', 'fs', 'os', 'path']
  },
  'engine/changes': {
    knows: 'what changed in a bundle or a tree',
    values: [
      'engine/bundle',
      'engine/tree',
      'engine/operation',
      'bundle',
      'mtree',
      'plan',
      'rootfs',
      'sys'
    ],
    node: ['crypto']
  },
  'engine/bundle': {
    knows: 'the files of a bundle, and which process works on it',
    values: [
      'engine/tree',
      'engine/extract',
      'engine/place',
      'engine/operation',
      'bundle',
      'hooks',
      'image',
      'mtree',
      'plan',
      'rootfs',
      'sys',
      'workspace'
    ],
    types: ['store', 'tar/entry.ts'],
    node: ['crypto', 'fs', 'os', 'path']
  },
  'engine/tree': {
    knows: 'looking at a tree on disk',
    values: ['engine/operation', 'mtree', 'plan', 'rootfs', 'sys', 'worker']
  },
  'engine/extract': {
    knows: 'from blobs to a joined tree',
    values: [
      'engine/place',
      'engine/operation',
      'bundle/files.ts',
      'codec',
      'image',
      'plan',
      'rootfs',
      'sys',
      'transports',
      'worker',
      'workspace'
    ],
    types: ['registry/registry.ts', 'store'],
    node: ['fs', 'os', 'path']
  },
  'engine/place': {
    knows: 'the private directory of an operation: publishing and undoing it',
    values: ['engine/operation', 'bundle', 'plan', 'rootfs', 'sys', 'workspace'],
    node: ['fs', 'path']
  },
  'engine/operation': {
    knows: 'what every story needs: options, events, threads, stopping on request',
    values: ['hooks', 'sys', 'transports/rate.ts', 'worker'],
    types: [
      'plan/upgrade/merge-plan.ts',
      'store',
      'workspace',
      'registry/registry.ts',
      'transports/transport.ts'
    ],
    node: ['fs']
  },
  hooks: {
    knows:
      'hooks.toml; programs, sessions and functions behind one interface; checking their answers',
    values: [
      'toml.ts',
      'codec/programs.ts',
      'image',
      'sys/lock.ts',
      'sys/home.ts',
      'sys/make-directories.ts',
      'sys/open-regular.ts',
      'sys/read.ts',
      'sys/user-namespace.ts'
    ],
    types: ['plan/changed-paths.ts', 'plan/id-map.ts', 'plan/whiteout-form.ts'],
    node: ['crypto', 'fs', 'os', 'path', 'stream', 'timers/promises', 'url']
  },
  worker: {
    knows: 'threads and their tasks, which are functions that also run without a thread',
    values: [
      'bundle/file-stat.ts',
      'bundle/fingerprints.ts',
      'codec',
      'image/digest.ts',
      'mtree/lines.ts',
      'plan/names.ts',
      'plan/plan-entry.ts',
      'random-access',
      'rootfs',
      'store',
      'sys',
      'tar'
    ],
    types: ['image/media-types.ts', 'plan'],
    node: ['crypto', 'worker_threads']
  },
  rootfs: {
    knows: 'stage, apply, survey, scan, pack: blocking work through `sys`',
    values: ['sys', 'erofs', 'verity', 'plan', 'tar/sparse.ts', 'tar/writer.ts'],
    types: ['mtree', 'tar/entry.ts'],
    node: ['crypto']
  },
  bundle: {
    knows: 'runtime configuration, accounts, bundle metadata, fingerprints',
    values: ['image', 'mtree'],
    types: [
      'plan/id-map.ts',
      'plan/policy/metadata-policy.ts',
      'plan/seen-tree.ts',
      'sys/status.ts',
      'tar/entry.ts'
    ],
    node: ['crypto', 'path']
  },
  transports: {
    knows: 'where images are: one contract, and a file for each transport',
    values: ['registry', 'archive', 'codec', 'image', 'store'],
    node: ['path']
  },
  registry: {
    knows:
      'registries over HTTP: credentials, transfers that survive bad networks, and errors in words',
    values: ['toml.ts', 'image', 'store', 'sys/home.ts', 'sys/open-regular.ts', 'sys/read.ts'],
    node: [
      'child_process',
      'crypto',
      'events',
      'fs',
      'net',
      'path',
      'perf_hooks',
      'timers/promises',
      'tls',
      'worker_threads'
    ]
  },
  'toml.ts': { knows: 'settings in TOML', values: [] },
  archive: {
    knows:
      'tar files that contain images or root file systems: finding their members, and writing them',
    values: [
      'codec',
      'image/digest.ts',
      'image/elf.ts',
      'plan/names.ts',
      'store',
      'sys/failure.ts',
      'tar',
      'workspace/leftovers.ts',
      'workspace/new-file-at.ts',
      'workspace/private-name.ts'
    ],
    types: ['image/media-types.ts', 'sys/open-regular.ts'],
    node: ['crypto', 'fs', 'os', 'path']
  },
  store: {
    knows: 'blobs, the OCI layout directory, locks and atomic updates',
    values: ['image', 'sys', 'workspace'],
    node: ['crypto', 'fs', 'os', 'path', 'util']
  },
  workspace: {
    knows:
      'directories for unfinished work: making, claiming, publishing, finding and removing them',
    values: ['sys'],
    node: ['crypto', 'fs', 'path']
  },
  codec: {
    knows: 'gzip and zstd, in this process or in a program',
    values: [
      'sys/files.ts',
      'sys/isal.ts',
      'sys/isal-crc.ts',
      'sys/open-regular.ts',
      'sys/pipe.ts',
      'sys/read.ts',
      'sys/zlib.ts'
    ],
    types: ['image/media-types.ts'],
    node: [
      'child_process',
      'fs',
      'path',
      'stream',
      'stream/promises',
      'timers/promises',
      'util',
      'worker_threads',
      'zlib'
    ]
  },
  disk: {
    knows: '**pure**: what files say about the disks for virtual machines in them',
    values: []
  },
  'random-access': {
    knows: '**pure**: where a layer can be read from the middle, and the file that keeps that',
    values: [],
    types: ['image/digest.ts', 'image/media-types.ts'],
    node: ['crypto']
  },
  erofs: {
    knows:
      '**pure**: file systems as images: one for a layer, one that joins layers, and reading them strictly',
    values: ['plan/fold.ts', 'plan/names.ts', 'plan/tree.ts', 'tar/sparse.ts'],
    types: ['plan/staged-entry.ts', 'tar/entry.ts']
  },
  nbd: {
    knows:
      '**pure**: the NBD protocol: what a client says, and the steps that this leads to; names of exports; URIs',
    values: []
  },
  verity: {
    knows: '**pure**: hash trees of dm-verity: where their levels lie, and the superblock',
    values: []
  },
  vmdk: {
    knows:
      '**pure**: descriptors of disks for virtual machines: writing them, and how programs read them',
    values: []
  },
  plan: {
    knows:
      '**pure**: names, whiteouts, merging layers, metadata in both directions, what changed and goes into a layer',
    values: ['mtree'],
    types: ['tar/entry.ts']
  },
  mtree: {
    knows: '**pure**: tree manifests as text, keywords, comparison, filters',
    values: [],
    types: ['tar/entry.ts']
  },
  tar: {
    knows: '**pure**: headers, PAX, sparse maps; reader and writer that push bytes',
    values: []
  },
  image: {
    knows: '**pure**: digests, media types, documents, platform, rewriting',
    values: [],
    node: ['crypto']
  },
  sys: {
    knows: 'the only door to the kernel: functions named after system calls',
    values: [],
    node: ['async_hooks', 'crypto', 'fs', 'os', 'path']
  },
  'errors.ts': { knows: 'what a failure is', values: [] },
  'bytes.ts': { knows: 'what a name is', values: [] }
}

/** Each package is imported by one file only. */
export const PACKAGES: Readonly<Record<string, string>> = {
  '@iarna/toml': 'toml.ts',
  commander: 'cli/program.ts',
  execa: 'hooks/process.ts',
  fzstd: 'codec/unzstd.ts',
  koffi: 'sys/libc.ts',
  'p-limit': 'worker/pool.ts',
  'tar-stream': 'archive/tar-file.ts',
  undici: 'registry/http.ts'
}

/** Rooms whose functions are the same on every machine: no path of values leads from them to disks or processes. */
export const PURE: readonly string[] = [
  'image',
  'tar',
  'mtree',
  'plan',
  'disk',
  'random-access',
  'erofs',
  'nbd',
  'verity',
  'vmdk'
]

/** The room that a file of src is in. */
export function roomOf(file: string): string {
  const [room, chapter] = file.split('/')
  return ROOMS[`${room!}/${chapter!}`] === undefined ? room! : `${room!}/${chapter!}`
}

/** The lines of the table in docs/architecture.md, without padding. */
export function roomTable(): string[] {
  return Object.entries(ROOMS).map(
    ([name, { knows }]) => `\`${name}${name.endsWith('.ts') ? '' : '/'}\` | ${knows}`
  )
}
