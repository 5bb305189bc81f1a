/** All workers of a test run take the same faults, and it says how to repeat them. */

/** For every run of all tests: a fault for a tenth of the scenarios. */
export const SMALL = '0.1'

export function setup(): void {
  const size = process.env.OCI_UNPACK_FAULTS ?? SMALL
  if (!size.includes('@')) process.env.OCI_UNPACK_FAULTS = `${size}@${Date.now() % 1_000_000}`
  console.info(
    `faults: OCI_UNPACK_FAULTS=${process.env.OCI_UNPACK_FAULTS ?? ''} repeats this sample`
  )
}
