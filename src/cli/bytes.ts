/** Numbers of bytes for people. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const

/** A number of bytes in the largest decimal unit that is not larger. */
export function inDecimalUnit(bytes: number): { value: number; unit: string } {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return { value, unit: UNITS[unit]! }
}

/** Sizes as umoci writes them: at most four significant digits, `10.24MB`, `63.3MB`. */
export function humanSize(bytes: number): string {
  const { value, unit } = inDecimalUnit(bytes)
  return `${Number(value.toPrecision(4))}${unit}`
}
