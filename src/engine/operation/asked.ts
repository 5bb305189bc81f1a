/** The boundary of the library: every story runs inside it. */
import { withFacts, type Facts } from '../../errors.ts'
import { fromNode } from '../../sys/failure.ts'

/**
 * Adds to every error the facts that only the story knows (what was asked for), and turns failed calls of Node into our
 * errors.
 */
export async function asked<T>(facts: Facts, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw withFacts(fromNode(error), withoutPassword(facts))
  }
}

/** What somebody wrote before the host of a registry may be a password. */
function withoutPassword(facts: Facts): Facts {
  const { image } = facts
  if (typeof image !== 'string') return facts
  return { ...facts, image: image.replace(/^((?:docker|https?):\/\/).*@(?=[^@]*\/)/is, '$1…@') }
}
