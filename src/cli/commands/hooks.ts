import type { Command, Flag } from '../command.ts'
import { HOOK_FLAGS, HOOK_VARIABLES } from '../flags.ts'

const JSON_FLAG: Flag = { name: 'json', summary: 'print one JSON object' }

const FILE = {
  name: 'FILE',
  summary: 'a hooks.toml (default: the first that is found)',
  optional: true,
  kind: 'file'
} as const

export const hooksCheckCommand: Command = {
  path: ['hooks', 'check'],
  summary: 'check a hooks.toml and show what would run',
  description: 'Starts no program. Prints each hook point with its absolute command line.',
  positionals: [FILE],
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
  summary: 'hold hooks to their contract',
  description:
    'Runs the hooks against small made-up images: new ones, known ones, several at once, killed after every call, failing,' +
    ' deleted; and compares every tree with that of an unpack without hooks. Prints a row for each case. The exit status' +
    ' is 1 where one failed. The layers of the made-up images stay in the store.',
  positionals: [
    {
      ...FILE,
      summary: 'a hooks.toml, or a JavaScript module that exports hook functions by default'
    }
  ],
  flags: [
    {
      name: 'image',
      value: '[TRANSPORT:]PATH[:TAG]',
      summary: 'an image to unpack as well (repeatable)',
      kind: 'source',
      repeatable: true
    },
    { name: 'case', value: 'NAME', summary: 'only this case (repeatable)', repeatable: true },
    {
      name: 'gc',
      summary: 'test store.gc, which removes all other layers: only where the store is for tests'
    },
    {
      name: 'directory',
      value: 'DIR',
      summary: 'where bundles are made (default: the directory for temporary files)',
      kind: 'directory'
    },
    { name: 'keep', summary: 'leave the bundles and images' },
    JSON_FLAG
  ],
  environment: HOOK_VARIABLES,
  examples: [
    'oci-unpack hooks test --gc --directory /srv/test hooks/overlay/hooks.toml',
    'oci-unpack hooks test --case "cold unpack" --image debian:12 ./hooks.mjs'
  ],
  load: async () => (await import('../run-hooks.ts')).runHooksTest
}

export const hooksGcCommand: Command = {
  path: ['hooks', 'gc'],
  summary: 'remove layers that no image needs',
  description:
    'Tells the hooks which layers the images of all named layouts have, so that they can remove the others. What bundles' +
    ' use stays. Nothing is removed unless all images could be read.',
  positionals: [],
  flags: [
    {
      name: 'layout',
      option: 'layouts',
      value: '[TRANSPORT:]PATH',
      summary: 'layout or archive whose images are to stay (repeatable)',
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
