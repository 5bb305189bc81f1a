/** Disks for virtual machines, with what is usually in one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { ok } from './run.ts'

const MIB = 2 ** 20

/** What `makeQcow2` needs. */
export const QCOW2_PROGRAMS = ['qemu-img', 'sfdisk', 'mke2fs', 'truncate']

/** A qcow2 of 32 MiB with a partition table, and a file system that has one file; what is not used of its clusters are holes. */
export function makeQcow2(path: string, content: string | Buffer): void {
  const raw = `${path}.raw`
  const root = `${path}.root`
  mkdirSync(root)
  writeFileSync(`${root}/content`, content)
  writeFileSync(`${path}.table`, 'start=2048, type=83\n')
  ok('truncate', '-s', String(32 * MIB), raw)
  ok('sh', '-c', `sfdisk --quiet ${raw} <${path}.table`)
  const fileSystem = ['-q', '-F', '-t', 'ext4', '-d', root, '-E', `offset=${MIB}`]
  ok('mke2fs', ...fileSystem, raw, '31M')
  ok('qemu-img', 'convert', '-O', 'qcow2', '-o', 'cluster_size=1M', raw, path)
}
