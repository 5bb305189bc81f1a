/** The checksum of cksum(1), `cksum` in mtree(5): POSIX's CRC over the bytes and then their number. */
export class Cksum {
  private crc = 0
  private length = 0

  update(bytes: Uint8Array): void {
    for (const byte of bytes) this.add(byte)
    this.length += bytes.length
  }

  /** In decimal. */
  digest(): string {
    for (let left = this.length; left > 0; left = Math.floor(left / 256)) this.add(left % 256)
    return String(~this.crc >>> 0)
  }

  private add(byte: number): void {
    this.crc = (this.crc << 8) ^ TABLE[(this.crc >>> 24) ^ byte]!
  }
}

const POLYNOMIAL = 0x04c1_1db7

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1
  return crc
})
