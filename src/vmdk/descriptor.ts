/**
 * Writes the descriptor of a disk that consists of whole files, one after the other: a VMDK of flat extents. It is the
 * only standard form that needs no copy of the files and is read by several programs for virtual machines.
 *
 * Every file is one extent, however long it is. Other writers cut extents at 2 GiB, as the name of the type suggests, but
 * no reader here asks for that; libkrun takes the start of the second piece for bytes and shows other data, and qemu
 * cannot open a disk for writing that has a file twice.
 */
import { display, toText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { CYLINDER, GEOMETRY, SECTOR, type DiskFile } from './disk.ts'
import { MAX_DESCRIPTOR } from './qemu.ts'
import { checkWithReaders } from './readers.ts'

/** In bytes. */
const MAX_NAME = 511

/**
 * The same files give the same text, which every known reader takes for exactly these files.
 * @param uuid 16 bytes, of which the identifier of the content is made
 * @throws VMDK_INVALID for a file that cannot be part of a disk, LIMIT_EXCEEDED for too many of them
 */
export function vmdkDescriptor(files: readonly DiskFile[], uuid: Uint8Array): ByteString {
  if (files.length === 0) throw new Error('a disk needs a file')
  for (const file of files) checkFile(file)
  const text = descriptor(files, contentId(uuid))
  if (text.length > MAX_DESCRIPTOR)
    throw new OciUnpackError('LIMIT_EXCEEDED', 'A VMDK descriptor cannot name so many files.', {
      facts: { expected: `at most ${MAX_DESCRIPTOR} bytes`, found: text.length }
    })
  checkWithReaders(text, files)
  return text
}

/** Headings and their order are those that Cloud Hypervisor requires; qemu takes an extent behind an empty line twice. */
function descriptor(files: readonly DiskFile[], id: string): ByteString {
  const sectors = files.reduce((sum, { size }) => sum + size / SECTOR, 0)
  return lines(
    '# Disk DescriptorFile',
    'version=1',
    `CID=${id}`,
    'parentCID=ffffffff',
    'createType="twoGbMaxExtentFlat"',
    '',
    '# Extent description',
    // qemu leaves out what is not RW, without a word
    ...files.map(({ name, size }) => `RW ${size / SECTOR} FLAT "${name}" 0`),
    '',
    '# The Disk Data Base',
    '#DDB',
    '',
    'ddb.virtualHWVersion = "4"',
    `ddb.geometry.cylinders = "${Math.ceil(sectors / CYLINDER)}"`,
    `ddb.geometry.heads = "${GEOMETRY.heads}"`,
    `ddb.geometry.sectors = "${GEOMETRY.sectors}"`,
    'ddb.adapterType = "ide"'
  )
}

function lines(...text: readonly ByteString[]): ByteString {
  return text.map((line) => `${line}\n`).join('')
}

/** As mkfs.erofs makes it of the UUID, except that it is never the one that stands for no disk. */
function contentId(uuid: Uint8Array): string {
  const bytes = Buffer.from(uuid)
  const id = [0, 4, 8, 12].reduce((sum, at) => (sum ^ bytes.readUInt32LE(at)) >>> 0, 0)
  return (id === NO_DISK ? id - 1 : id).toString(16).padStart(8, '0')
}

const NO_DISK = 0xffff_ffff

function checkFile({ name, size }: DiskFile): void {
  const reason = nameFault(name) ?? sizeFault(size)
  if (reason === undefined) return
  throw new OciUnpackError('VMDK_INVALID', 'The file cannot be part of a VMDK disk.', {
    facts: { file: display(name), reason }
  })
}

/** Names have no escapes in a descriptor, and some readers split lines at every space. */
function nameFault(name: ByteString): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'the name is not that of a file'
  if (name.length > MAX_NAME) return `the name has more than ${MAX_NAME} bytes`
  const text = toText(name)
  if (text === undefined) return 'the name is not UTF-8'
  if (text.includes('/')) return 'the name contains a slash'
  if (text.includes('"')) return 'the name contains a quotation mark'
  if (/[\s\u0000-\u001f\u007f-\u009f]/.test(text))
    return 'the name contains a space or a control character'
  if (text.includes(PARENT)) return `the name contains ${PARENT}, which qemu takes for a parent`
  return undefined
}

const PARENT = 'parentFileNameHint'

function sizeFault(size: number): string | undefined {
  if (!Number.isSafeInteger(size) || size <= 0) return `a file cannot have ${size} bytes`
  return size % SECTOR === 0 ? undefined : `its ${size} bytes are not whole sectors of ${SECTOR}`
}
