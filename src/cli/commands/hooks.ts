/** The declarations of `hooks check`, `hooks test` and `hooks gc`. */
import type { Command, Flag } from '../command.ts'
import { HOOK_FLAGS, HOOK_VARIABLES } from '../flags.ts'

const JSON_FLAG: Flag = { name: 'json', summary: 'print one JSON object' }

const FILE_OR_MODULE = {
  name: 'FILE',
  summary:
    'hooks.toml (default: the first one found), or JavaScript module whose default export is hook functions',
  optional: true,
  kind: 'file'
} as const

export const hooksCheckCommand: Command = {
  path: ['hooks', 'check'],
  summary: 'check a hooks.toml and show what would run',
  description:
    'Prints each hook point with its command line, using absolute paths. A JavaScript module is loaded, and its functions are' +
    ' listed. Of all these, only store.check is called, if there is one: it says how layers would be stored.',
  positionals: [FILE_OR_MODULE],
  flags: [JSON_FLAG],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack hooks check && oci-unpack unpack --image debian:12 bundle',
    'oci-unpack hooks check --json hooks/overlay/hooks.toml'
  ],
  load: async () => (await import('../run-hooks.ts')).runHooksCheck
}

export const hooksTestCommand: Command = {
  path: ['hooks', 'test'],
  summary: 'test hooks against their contract',
  description:
    'Runs the hooks on small test images: new and known images, several unpacks at once, kills after every call, failures,' +
    ' deletions. Compares every tree with that of an unpack without hooks, and prints a row for each case. The exit' +
    ' status is 1 if a case failed. The layers of the test images stay in the storage.',
  positionals: [FILE_OR_MODULE],
  flags: [
    {
      name: 'image',
      value: '[TRANSPORT:]PATH[:TAG]',
      summary: 'also unpack this image (repeatable)',
      kind: 'source',
      repeatable: true
    },
    { name: 'case', value: 'NAME', summary: 'run only this case (repeatable)', repeatable: true },
    { name: 'list', summary: 'print the names of the cases and what they test, and run none' },
    {
      name: 'gc',
      summary: 'also test store.gc, which removes all other layers: only for storage made for tests'
    },
    {
      name: 'directory',
      value: 'DIR',
      summary: 'where to make bundles (default: the directory for temporary files)',
      kind: 'directory'
    },
    { name: 'keep', summary: 'keep the bundles and images' },
    JSON_FLAG
  ],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack hooks test --gc --directory /srv/test hooks/overlay/hooks.toml',
    'oci-unpack hooks test --list',
    'oci-unpack hooks test --case "cold unpack" --image debian:12 ./hooks.mjs'
  ],
  load: async () => (await import('../run-hooks.ts')).runHooksTest
}

export const hooksGcCommand: Command = {
  path: ['hooks', 'gc'],
  summary: 'remove layers that no image needs',
  description:
    'Tells the hooks which layers the images in the given layouts need, so that the hooks can remove all others. Layers' +
    ' that bundles use stay. Nothing is removed unless all images can be read.',
  positionals: [],
  flags: [
    {
      name: 'layout',
      option: 'layouts',
      value: '[TRANSPORT:]PATH',
      summary: 'layout or archive whose images must stay (repeatable)',
      kind: 'source-layout',
      repeatable: true
    },
    ...HOOK_FLAGS.filter(({ name }) => name !== 'no-hooks'),
    JSON_FLAG
  ],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack hooks gc --layout ./layout',
    'oci-unpack hooks gc --layout /srv/one --layout /srv/two --hooks hooks.toml'
  ],
  load: async () => (await import('../run-hooks.ts')).runHooksGc
}
