/** A list of changes against a look at the whole tree. */
import { display } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Changes } from './find-changes.ts'

/** @param all what a look at the whole tree found @throws HOOK_ANSWER_INVALID where the list leaves something out */
export function assertComplete(listed: Changes, all: Changes): void {
  const known = new Set(listed.deltas.map(({ path }) => path))
  const left = all.deltas.filter(({ path }) => !known.has(path))
  if (left.length === 0) return
  throw new OciUnpackError('HOOK_ANSWER_INVALID', 'The list of changes leaves something out.', {
    facts: {
      hook: 'repack.ociv1.layer.delta-list',
      found: left
        .slice(0, 10)
        .map(({ path }) => display(path))
        .join(', '),
      reason: `${left.length} changed paths are not in it`
    },
    hint: 'The hook must name everything that changed; more than that does no harm.'
  })
}
