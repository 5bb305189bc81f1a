/**
 * Exit statuses: as in umoci, 1 for any error and 3 for an unknown command; as in shells, 128 plus the number of a
 * signal.
 */
import { constants } from 'node:os'

export const EXIT = { done: 0, error: 1, unknownCommand: 3 } as const

/** The exit status of a program that a signal ended. */
export function statusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

export interface ExitMeaning {
  status: string
  meaning: string
}

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT | 'interrupted', ExitMeaning>> = {
  done: { status: String(EXIT.done), meaning: 'The command succeeded.' },
  error: {
    status: String(EXIT.error),
    meaning:
      'The command failed, or a check found a difference or damage; standard error says what.'
  },
  unknownCommand: { status: String(EXIT.unknownCommand), meaning: 'There is no such command.' },
  interrupted: {
    status: '128+N',
    meaning:
      'Signal N stopped the command (130 for SIGINT, 143 for SIGTERM), and nothing is left half-made. 141 means that' +
      ' standard output is a pipe that is no longer read.'
  }
}
