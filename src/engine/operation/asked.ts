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
    throw withFacts(fromNode(error), facts)
  }
}
