/** Writes an image to a repository of a registry. */
import type { Digest } from '../image/digest.ts'
import { DEFAULT_TAG } from '../image/tags.ts'
import { accessTo, type RepositoryName } from './repository-access.ts'
import type { ImageToWrite, OpenOptions, TransferHelp } from './transport.ts'
import { writeRegistry } from './write-registry.ts'

export async function writeToRepository(
  name: RepositoryName,
  image: ImageToWrite,
  help: TransferHelp
): Promise<Digest> {
  const access = await accessTo(name, 'write', {
    ...help,
    onWarning: toEvents(help, 'warning'),
    onChoice: toEvents(help, 'choice'),
    onRetry: help.onEvent
  })
  try {
    return await writeRegistry({ ...access, tag: name.tag ?? DEFAULT_TAG }, image, help)
  } finally {
    access.close()
  }
}

function toEvents({ onEvent }: TransferHelp, type: 'warning' | 'choice'): OpenOptions['onWarning'] {
  return (message, facts) => onEvent({ type, message, facts })
}
