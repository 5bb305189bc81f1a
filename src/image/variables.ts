/**
 * Sets one variable in a list of environment variables: at the first entry with its name, or at the end. Further
 * entries with the name are removed, so that only one can count.
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
