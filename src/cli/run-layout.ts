/** Runs `init`, `new`, `tag`, `remove` and `gc`. */
import {
  collectGarbage,
  initLayout,
  newImage,
  removeTag,
  tagImage,
  type Garbage
} from '../layout.ts'
import { leftover, warningsOf } from './progress/log.ts'
import { humanSize } from './bytes.ts'
import { sourceDateEpoch } from './change-values.ts'
import { isSet, text, type Run } from './command.ts'
import { required } from './flag-values.ts'
import { registryOption } from './registry-values.ts'

export const runInit: Run = async (input) => {
  await initLayout({ layout: required(input, 'layout') })
}

export const runNew: Run = async (input, terminal) => {
  const epoch = sourceDateEpoch()
  await newImage({
    image: required(input, 'image'),
    ...(await registryOption(input, terminal)),
    signal: terminal.signal,
    onEvent: warningsOf(terminal),
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch })
  })
}

export const runTag: Run = async (input, terminal) => {
  const platform = text(input, 'platform')
  await tagImage({
    image: required(input, 'image'),
    tag: input.positionals[0] ?? '',
    ...(await registryOption(input, terminal)),
    signal: terminal.signal,
    onEvent: warningsOf(terminal),
    ...(platform === undefined ? {} : { platform })
  })
}

export const runRemove: Run = async (input, terminal) => {
  await removeTag({
    image: required(input, 'image'),
    signal: terminal.signal,
    onEvent: warningsOf(terminal)
  })
}

export const runGc: Run = async (input, terminal) => {
  const dryRun = isSet(input, 'dry-run')
  const garbage = await collectGarbage({
    layout: required(input, 'layout'),
    dryRun,
    signal: terminal.signal,
    onEvent: warningsOf(terminal),
    onWait: () => terminal.log.write('info', 'waiting for other processes that use the layout')
  })
  if (!dryRun)
    for (const name of garbage.workspaces) terminal.log.write('info', leftover(name, false))
  if (isSet(input, 'json')) terminal.out(`${JSON.stringify({ dryRun, ...garbage })}\n`)
  else if (dryRun || isSet(input, 'list')) terminal.out(formatGarbage(garbage))
}

function formatGarbage({ blobs, workspaces }: Garbage): string {
  const total = blobs.reduce((sum, { size }) => sum + size, 0)
  return [
    ...blobs.map(({ digest, size }) => `${digest} ${humanSize(size)}`),
    ...workspaces.map((name) => `${name} abandoned workspace`),
    `${blobs.length} blobs, ${humanSize(total)}\n`
  ].join('\n')
}
