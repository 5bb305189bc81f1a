/** umoci's numbers: 1 for any error, 3 for a command that does not exist; 128 + SIGINT when interrupted. */
export const EXIT = { done: 0, error: 1, unknownCommand: 3, interrupted: 130 } as const

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'What was asked for is done.',
  error: 'It failed, or a check found something; standard error says what.',
  unknownCommand: 'There is no such command.',
  interrupted: 'It was interrupted by SIGINT or SIGTERM.'
}
