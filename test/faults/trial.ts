/** One command with one fault: what it leaves, what a second run makes of it, and what is left at the end. */
import { library } from '../support/dist.ts'
import type { Box } from './box.ts'
import { untouched } from './box.ts'
import { clear } from './clear.ts'
import { isError, nameOf, type Call, type Fault } from './faults.ts'
import type { Injector, Run } from './injector.ts'
import { LEFTOVER, leftovers, mountsBelow, namesIn, processesIn, unfitSentence } from './observe.ts'
import type { Scenario } from './scenario.ts'
import { count, countFailure } from './settings.ts'

/** What an undisturbed run shows. */
export interface Reference {
  calls: Call[]
  before: string
  after: string
  /** After the command that is run next, where that is another. */
  afterNext: string
  names: string[]
  mounts: string[]
}

export interface Stage {
  box: Box
  injector: Injector
}

/** Runs the command as it is: what all others are compared with. */
export async function undisturbed(stage: Stage, scenario: Scenario): Promise<Reference> {
  const { box, injector } = stage
  await setUp(box, scenario)
  const before = await stateOf(box, scenario)
  const { run, calls } = await injector.record(
    `${box.work}/calls`,
    scenario.args(box),
    scenario.user
  )
  if (run.status !== 0) throw new Error(`${scenario.name} fails undisturbed: ${run.stderr}`)
  const after = await stateOf(box, scenario)
  await end(box, scenario)
  const names = namesIn(box.path)
  const mounts = mountsBelow(box.path)
  const afterNext = scenario.next === undefined ? after : await stateAfterNext(stage, scenario)
  return { calls, before, after, afterNext, names, mounts }
}

async function stateAfterNext({ box, injector }: Stage, scenario: Scenario): Promise<string> {
  await setUp(box, scenario)
  const run = await injector.undisturbed(nextOf(box, scenario), scenario.user)
  await run.allEnded
  const state = await stateOf(box, scenario)
  await end(box, scenario)
  return state
}

function nextOf(box: Box, scenario: Scenario): string[] {
  return scenario.next?.(box) ?? scenario.args(box)
}

/** What is wrong after a fault; nothing, if all is as it should be. */
export async function trial(
  stage: Stage,
  scenario: Scenario,
  reference: Reference,
  fault: Fault
): Promise<string[]> {
  const { box, injector } = stage
  await setUp(box, scenario)
  const others = untouched(`${box.path}/others`)
  const run = await injector.disturbed(fault, scenario.args(box), scenario.user)
  const wrong = [...said(run), ...(await afterFault(box, scenario, reference, fault, run))]
  wrong.push(...(await again(stage, scenario, reference, run)))
  await run.allEnded
  await end(box, scenario)
  if (untouched(`${box.path}/others`) !== others) wrong.push('what belongs to others changed')
  wrong.push(...atTheEnd(box, reference))
  const name = nameOf(scenario.name, fault)
  count(fault.kind === 'KILL' ? 'kills' : isError(fault.kind) ? 'errors' : 'signals')
  const failures = wrong.map((it) => `${name} (${run.fired ?? 'not reached'}): ${it}`)
  for (const failure of failures) countFailure(failure)
  return failures
}

async function setUp(box: Box, scenario: Scenario): Promise<void> {
  clear(box.path)
  box.empty()
  process.env.XDG_CACHE_HOME = box.env.XDG_CACHE_HOME
  await scenario.prepare(box)
}

async function stateOf(box: Box, scenario: Scenario): Promise<string> {
  try {
    return await scenario.state(box)
  } catch (error) {
    return `broken: ${String(error)}`
  }
}

function said(run: Run): string[] {
  const unfit = unfitSentence(run.stderr)
  return unfit === undefined ? [] : [unfit]
}

async function afterFault(
  box: Box,
  scenario: Scenario,
  reference: Reference,
  fault: Fault,
  run: Run
): Promise<string[]> {
  const state = await stateOf(box, scenario)
  const { before, after } = reference
  const wrong: string[] = []
  const killed = fault.kind === 'KILL'
  const mayBeBetween =
    scenario.between === 'after any failure' || (scenario.between === 'after a kill' && killed)
  if (/^damaged|\ndamaged/.test(state)) wrong.push('an image is damaged')
  if (run.status === 0 && state !== after) wrong.push(`it succeeded with ${apart(after, state)}`)
  if (run.status !== 0 && !mayBeBetween && state !== before && state !== after)
    wrong.push(`after the failure ${apart(before, state)}`)
  if (fault.kind === 'EINTR' && run.status !== 0)
    wrong.push(`an interrupted call is an error: ${firstLine(run)}`)
  if (!killed && !LEFTOVER.test(run.fired ?? '')) {
    await run.allEnded
    const left = leftovers(box.path)
    if (left.length > 0) wrong.push(`it left ${left.join(', ')}`)
  }
  return wrong
}

/** The next command, as if nothing had been; where it finds another at work, it is asked again. */
async function again(
  { box, injector }: Stage,
  scenario: Scenario,
  { after, afterNext }: Reference,
  first: Run
): Promise<string[]> {
  const wasDone = (await stateOf(box, scenario)) === after
  let second = await injector.undisturbed(nextOf(box, scenario), scenario.user)
  if (second.status !== 0 && /BUNDLE_BUSY|being made/.test(second.stderr)) {
    await first.allEnded
    second = await injector.undisturbed(nextOf(box, scenario), scenario.user)
  }
  await second.allEnded
  const wrong = said(second)
  const refused = wasDone && scenario.done?.test(second.stderr) === true
  if (second.status !== 0 && !refused) wrong.push(`a second run fails: ${second.stderr.trim()}`)
  const state = await stateOf(box, scenario)
  const expected = wasDone && refused ? after : afterNext
  if (state !== expected) wrong.push(`after a second run ${apart(expected, state)}`)
  return wrong
}

async function end(box: Box, scenario: Scenario): Promise<void> {
  await library.collectGarbage({ layout: box.layout })
  await scenario.end?.(box)
}

function atTheEnd(box: Box, { names, mounts }: Reference): string[] {
  const wrong: string[] = []
  const now = namesIn(box.path)
  const more = now.filter((name) => !names.includes(name))
  // a cache may be missing
  const less = names.filter((name) => !now.includes(name) && !name.startsWith('cache'))
  if (more.length > 0) wrong.push(`at the end there is also ${more.join(', ')}`)
  if (less.length > 0) wrong.push(`at the end there is no ${less.join(', ')}`)
  const mountsNow = mountsBelow(box.path)
  if (mountsNow.join() !== mounts.join()) wrong.push(`mounts at the end: ${mountsNow.join(', ')}`)
  const alive = processesIn(box.path)
  if (alive.length > 0) wrong.push(`still alive: ${alive.join(', ')}`)
  return wrong
}

/** The first lines that two states do not share. */
function apart(expected: string, found: string): string {
  const [left, right] = [expected.split('\n'), found.split('\n')]
  const lost = left.filter((line) => !right.includes(line)).slice(0, 3)
  const gained = right.filter((line) => !left.includes(line)).slice(0, 3)
  return `the state is another: -[${lost.join(' | ')}] +[${gained.join(' | ')}]`
}

function firstLine(run: Run): string {
  return run.stderr.split('\n')[0]!
}
