/** What a policy says about objects that an image does not describe, and about how metadata is written. */
import { implicitDirectory } from '../../plan/implicit-directory.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import { writeRules } from '../../plan/policy/policies.ts'
import type { ApplyOptions } from '../../rootfs/apply.ts'

export function metadataRules(policy: PlainChoice): Pick<ApplyOptions, 'implicit' | 'write'> {
  return { implicit: implicitDirectory(policy), write: writeRules(policy) }
}
