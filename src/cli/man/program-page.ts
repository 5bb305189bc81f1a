/** The man page of the program. */
import type { Command, Flag, Variable } from '../command.ts'
import { GROUPS } from '../commands/groups.ts'
import { HELP_FLAG, HOOK_VARIABLES, VERSION_FLAG } from '../flags.ts'
import { capitalized, sentence } from '../sentence.ts'
import { IMAGE_FORMS } from '../transport-texts.ts'
import { pageName } from './command-page.ts'
import { options } from './option.ts'
import { bold, italic, prose } from './roff.ts'
import {
  entry,
  environment,
  exitStatus,
  link,
  page,
  paragraph,
  section,
  seeAlso
} from './section.ts'

const DESCRIPTION =
  'Unpacks OCI images into directories that a runtime such as runc can use, and turns changes in such a directory back' +
  ' into a layer of an image. Layers are read in parallel, and every blob is fully verified before anything becomes visible.' +
  ' The command line is compatible with umoci and adds to it. Commands that only read an image accept ' +
  `${IMAGE_FORMS}; commands that change one need an OCI layout (PATH[:TAG]).`

const VARIABLES: readonly Variable[] = [
  { name: 'NO_COLOR', summary: 'if not empty: no colours, unless --color asks for them' },
  ...HOOK_VARIABLES
]

/** oci-unpack(1). */
export function programPage(
  summary: string,
  commands: readonly Command[],
  globals: readonly Flag[]
): string {
  return page(
    'oci-unpack',
    section('NAME', [`oci\\-unpack \\- ${prose(withoutStop(summary))}`]),
    section('SYNOPSIS', [
      `${bold('oci-unpack')} [${italic('OPTION')}]... ${italic('COMMAND')} [${italic('ARGUMENT')}]...`
    ]),
    section('DESCRIPTION', paragraph(DESCRIPTION)),
    section('COMMANDS', commandList(commands)),
    options('GLOBAL OPTIONS', [...globals, HELP_FLAG, VERSION_FLAG]),
    exitStatus('done', 'error', 'unknownCommand', 'interrupted'),
    environment(VARIABLES),
    section('FILES', [
      ...entry(italic('/etc/oci-unpack/hooks.toml'), 'Hooks for all users of the machine.'),
      ...entry(italic('~/.config/oci-unpack/hooks.toml'), 'Hooks of a user, which take precedence.')
    ]),
    seeAlso([
      { name: 'umoci', volume: 1 },
      { name: 'skopeo', volume: 1 },
      { name: 'runc', volume: 8 }
    ])
  )
}

/** Single commands first, then groups. */
function commandList(commands: readonly Command[]): string[] {
  const single = commands.filter(({ path }) => path.length === 1)
  const groups = Object.entries(GROUPS).map(([name, summary]) => [
    `.SS ${prose(capitalized(summary))}`,
    ...commands.filter(({ path }) => path.length > 1 && path[0] === name).flatMap(listed)
  ])
  return [...single.flatMap(listed), ...groups.flat()]
}

function listed(command: Command): string[] {
  return entry(link({ name: pageName(command), volume: 1 }), sentence(command.summary))
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}
