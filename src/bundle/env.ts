/** The environment of the process in config.json. */
import { OciUnpackError } from '../errors.ts'
import { setVariable } from '../image/variables.ts'

/**
 * The default variables with those of the image: a variable with the same name is replaced in its place, others follow.
 * @throws CONFIG_UNSUPPORTED for a variable that is not NAME=VALUE
 */
export function mergeEnv(defaults: readonly string[], image: readonly string[]): string[] {
  checkEnv(image)
  return image.reduce(setVariable, [...defaults])
}

/** @throws CONFIG_UNSUPPORTED for a variable that is not NAME=VALUE */
export function checkEnv(image: readonly string[]): void {
  const index = image.findIndex((variable) => variable.indexOf('=') < 1)
  if (index === -1) return
  throw new OciUnpackError('CONFIG_UNSUPPORTED', 'An environment variable is not NAME=VALUE.', {
    facts: { pointer: `/config/Env/${index}`, found: JSON.stringify(image[index]) },
    hint: 'Correct Config.Env in the image.'
  })
}

export function hasVariable(env: readonly string[], name: string): boolean {
  return env.some((variable) => variable.startsWith(`${name}=`))
}
