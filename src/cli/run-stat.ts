/** Runs `stat`. */
import { statImage, statJson } from '../inspect.ts'
import { isSet, text, type Run } from './command.ts'
import { required } from './flag-values.ts'
import { formatStat } from './format-stat.ts'
import { warningsOf } from './progress/log.ts'
import { registryOption } from './registry-values.ts'

export const runStat: Run = async (input, terminal) => {
  const platform = text(input, 'platform')
  const stat = await statImage({
    image: required(input, 'image'),
    ...(await registryOption(input, terminal)),
    signal: terminal.signal,
    onEvent: warningsOf(terminal),
    ...(platform === undefined ? {} : { platform })
  })
  const part = isSet(input, 'history') ? 'history' : 'everything'
  terminal.out(isSet(input, 'json') ? statJson(stat) : formatStat(stat, part))
}
