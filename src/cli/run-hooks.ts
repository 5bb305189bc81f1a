/** Runs the commands for hooks. */
import { OciUnpackError } from '../errors.ts'
import {
  collectStore,
  hookTestCases,
  describeHooks,
  testHooks,
  type TestHooksOptions
} from '../index.ts'
import { isSet, text, texts, type Input, type Run } from './command.ts'
import {
  formatCases,
  formatCollected,
  formatDescription,
  formatRow,
  formatSummary
} from './hook-tables.ts'
import { hooks } from './hook-values.ts'
import { withEvents } from './progress/show.ts'

export const runHooksCheck: Run = async (input, terminal) => {
  const description = await describeHooks(input.positionals[0], terminal.signal)
  if (description === undefined) throw noHooks()
  const json = isSet(input, 'json')
  terminal.out(json ? `${JSON.stringify(description)}\n` : formatDescription(description))
}

export const runHooksTest: Run = async (input, terminal) => {
  const json = isSet(input, 'json')
  if (isSet(input, 'list')) {
    const cases = hookTestCases()
    terminal.out(json ? `${JSON.stringify(cases)}\n` : formatCases(cases))
    return
  }
  const report = await testHooks({
    ...testOptions(input),
    signal: terminal.signal,
    onRow: (row) => {
      if (!json) terminal.out(formatRow(row, terminal.paint))
    }
  })
  terminal.out(json ? `${JSON.stringify(report)}\n` : formatSummary(report))
  if (!report.ok) throw broken(report.hooks)
}

export const runHooksGc: Run = async (input, terminal) => {
  await withEvents(terminal, async (onEvent) => {
    const option = hooks(input).hooks ?? { file: 'find' }
    const layouts = texts(input, 'layout')
    const result = await collectStore({
      layouts,
      hooks: option,
      signal: terminal.signal,
      onEvent
    })
    terminal.out(isSet(input, 'json') ? `${JSON.stringify(result)}\n` : formatCollected(result))
  })
}

function testOptions(input: Input): TestHooksOptions {
  const [hooks] = input.positionals
  const cases = texts(input, 'case')
  const directory = text(input, 'directory')
  return {
    ...(hooks === undefined ? {} : { hooks }),
    ...(cases.length === 0 ? {} : { cases }),
    ...(directory === undefined ? {} : { directory }),
    images: texts(input, 'image'),
    gc: isSet(input, 'gc'),
    keep: isSet(input, 'keep')
  }
}

function noHooks(): OciUnpackError {
  return new OciUnpackError('HOOKS_INVALID', 'No hooks.toml was found.', {
    hint: 'Give its path, or put one at /etc/oci-unpack/hooks.toml or ~/.config/oci-unpack/hooks.toml.'
  })
}

function broken(hooks: string): OciUnpackError {
  return new OciUnpackError('HOOKS_INVALID', 'The hooks break their contract.', {
    facts: { hooks },
    hint: 'Each failed row shows the call, what was expected and what happened.'
  })
}
