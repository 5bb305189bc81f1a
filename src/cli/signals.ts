/** Signals that end a program: the first asks the command for a clean stop. */
import { hangupIsIgnored } from './hangup.ts'

/** A user who sends one of these a second time needs the program to end at once. */
const URGENT = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const

/** A closing terminal, a timer or a limit sends these more than once, and there is still time for a clean stop. */
const PATIENT = [
  'SIGHUP',
  'SIGALRM',
  'SIGIO',
  'SIGPWR',
  'SIGSTKFLT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGVTALRM',
  'SIGXCPU'
] as const

// SIGUSR1 is here because it would open Node's debugger to every user of the machine. Not here: SIGPROF belongs to Node's
// profiler, SIGPIPE and SIGXFSZ are ignored (a write fails with EPIPE or EFBIG), and after others, such as SIGSEGV and
// SIGABRT, nothing can be relied on.

/** What follows within this time is the same signal: `timeout` and others signal a program and then its group. */
const SAME_SIGNAL_MS = 500

/** Reports the first signal. A second urgent one ends the process at once, as without a handler. */
export function onSignal(stop: (signal: NodeJS.Signals) => void): void {
  const isIgnored = hangupIsIgnored()
  let stopped = false
  const listener = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && isIgnored) return
    if (stopped) return
    stopped = true
    const forget = (urgent: NodeJS.Signals): unknown => process.off(urgent, listener)
    URGENT.filter((urgent) => urgent !== signal).forEach(forget)
    setTimeout(() => URGENT.forEach(forget), SAME_SIGNAL_MS).unref()
    stop(signal)
  }
  for (const signal of [...URGENT, ...PATIENT]) process.on(signal, listener)
}

/** Passes every signal that would stop a program on to another process, whose end is then that of this one. */
export function forwardSignals(to: (signal: NodeJS.Signals) => void): void {
  const isIgnored = hangupIsIgnored()
  for (const signal of [...URGENT, ...PATIENT])
    process.on(signal, () => {
      if (signal !== 'SIGHUP' || !isIgnored) to(signal)
    })
}
