/** config.json of a bundle whose hooks have a say in it. */
import { join } from 'node:path'
import { CONFIG_FILE } from '../../bundle/files.ts'
import { formatRuntimeConfig } from '../../bundle/runtime-config.ts'
import type { Accounts } from '../../bundle/user.ts'
import { fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { ImageContext } from '../../hooks/contexts.ts'
import { stringifyJson } from '../../image/go-json.ts'
import type { Json } from '../../image/json.ts'
import type { Directory } from '../../plan/tree.ts'
import { readAccounts, readAccountsOnDisk } from '../../rootfs/accounts.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import type { Job } from '../extract/job.ts'
import { runtimeConfig, writeNew } from '../bundle/write-bundle.ts'

/**
 * @param directory of the bundle
 * @param tree of the image, where it is known
 */
export async function writeStoredConfig(
  job: Job,
  hooks: HookSet,
  context: ImageContext,
  directory: string,
  tree: Directory | undefined
): Promise<void> {
  const made = formatRuntimeConfig(
    runtimeConfig(accountsOf(context.rootfs, tree), job.image, job.settings)
  )
  const runtimeConfigOfImage = JSON.parse(made) as Readonly<Record<string, Json>>
  const outcome = await hooks.call(
    'runtime-config',
    { ...context, runtimeConfig: runtimeConfigOfImage },
    job.settings.signal
  )
  const other = outcome.status === 'yes' ? outcome.answer.config : undefined
  writeNew(join(directory, CONFIG_FILE), other === undefined ? made : text(other, hooks))
}

function accountsOf(rootfs: string, tree: Directory | undefined): Accounts {
  const fd = openOperatorDirectory(fromText(rootfs))
  try {
    return tree === undefined ? readAccountsOnDisk(fd) : readAccounts(fd, tree)
  } finally {
    close(fd)
  }
}

/** What every runtime looks at first (runtime-spec config.md): the rest is between the hook and the runtime. */
function text(config: Readonly<Record<string, Json>>, { name }: HookSet): Buffer {
  const { ociVersion, root } = config
  const path = typeof root === 'object' && root !== null && 'path' in root ? root.path : undefined
  if (typeof ociVersion === 'string' && typeof path === 'string')
    return stringifyJson(config, { kind: 'any' })
  throw new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook is not valid.', {
    facts: { hooks: name, hook: 'bundle.runtime-config', reason: 'it is no runtime configuration' },
    hint: 'A config.json has at least the text "ociVersion" and a "root" with a "path".'
  })
}
