/** The border of the library: every story is told inside of it. */
import { withFacts, type Facts } from '../../errors.ts'
import { fromNode } from '../../sys/failure.ts'

/**
 * What comes out as an error has the facts that only the story knows (what was asked for), and a failed call of Node is
 * one of ours.
 */
export async function asked<T>(facts: Facts, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw withFacts(fromNode(error), facts)
  }
}
