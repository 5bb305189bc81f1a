/** ISA-L's CRC-32 (libisal.so.2), four times as fast as zlib's. */
import { addressOf, loadLibrary } from './libc.ts'

type Crc32 = (data: Buffer, value: number) => number

/** The CRC-32 of gzip, continued from `value`; undefined if this machine has no such library. */
export function isalCrc32(): Crc32 | undefined {
  const library = loadLibrary('libisal.so.2', {
    crc: 'uint32 crc32_gzip_refl(uint32, uintptr_t, uint64)'
  })
  if (library === undefined) return undefined
  return (data, value) =>
    data.length === 0 ? value : library.crc(value, addressOf(data), data.length)
}
