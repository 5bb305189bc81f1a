/** Numbers of bytes for people. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** A number of bytes in the largest decimal unit of which it is at least one. */
export function inDecimalUnit(bytes: number): { value: number; unit: string } {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return { value, unit: UNITS[unit]! }
}

/** As umoci writes sizes: four significant digits at most, `10.24MB`, `63.3MB`. */
export function humanSize(bytes: number): string {
  const { value, unit } = inDecimalUnit(bytes)
  return `${Number(value.toPrecision(4))}${unit}`
}
