/**
 * A list of environment variables with one set: where its name stands first, or at the end. Further entries of the name
 * go, so that nobody can take another for the one that counts.
 */
export function setVariable(env: readonly string[], variable: string): string[] {
  const prefix = variable.slice(0, variable.indexOf('=') + 1)
  const first = env.findIndex((other) => other.startsWith(prefix))
  if (first < 0) return [...env, variable]
  return env.flatMap((other, index) => {
    if (index === first) return [variable]
    return other.startsWith(prefix) ? [] : [other]
  })
}
