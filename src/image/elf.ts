/** Which architecture a program was built for, in Go's names. */

/** How many bytes of a file are needed to tell. */
export const ELF_HEAD_BYTES = 20

/** elf.h: e_machine, for programs of 32 and 64 bits; some names depend on the byte order. */
const MACHINES: ReadonlyMap<number, { 32?: string; 64?: string }> = new Map([
  [3, { 32: '386' }],
  [8, { 32: 'mips', 64: 'mips64' }],
  [21, { 64: 'ppc64' }],
  [22, { 64: 's390x' }],
  [40, { 32: 'arm' }],
  [62, { 64: 'amd64' }],
  [183, { 64: 'arm64' }],
  [243, { 64: 'riscv64' }],
  [258, { 64: 'loong64' }]
])

const HAS_BOTH_ORDERS = /^(?:mips|mips64|ppc64)$/
const MAGIC = '\x7fELF'
const BITS: ReadonlyMap<number, 32 | 64> = new Map([
  [1, 32],
  [2, 64]
])

/** @param head the first bytes of a file. Undefined if it is not a program, or for an architecture that has no name here */
export function elfArchitecture(head: Buffer): string | undefined {
  if (head.length < ELF_HEAD_BYTES || head.toString('latin1', 0, 4) !== MAGIC) return undefined
  const bits = BITS.get(head[4]!)
  const isLittle = head[5] === 1
  const machine = MACHINES.get(isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18))
  const name = bits === undefined ? undefined : machine?.[bits]
  return name !== undefined && isLittle && HAS_BOTH_ORDERS.test(name) ? `${name}le` : name
}
