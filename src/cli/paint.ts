/** Colours of a terminal (ECMA-48, SGR). */
const CODES = { red: '31', green: '32', yellow: '33', failure: '1;31', aside: '2' } as const

export type Style = keyof typeof CODES

export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text

export const colored: Paint = (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`
