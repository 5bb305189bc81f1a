import { buffer } from 'node:stream/consumers'
import { extract, pack, type Header } from 'tar-stream'
import { expect, test } from 'vitest'
import type { EntryType, TarEntry } from '../../src/tar/entry.ts'
import { archive, member, readArchive } from '../support/archive.ts'

/** tar-stream decodes names as UTF-8 and knows no PAX ids or times: only what both know is compared. */
interface Common {
  name: string
  type: string
  mode: number
  size: number
  mtime: number
  link: string
}

const TYPES: Readonly<Record<EntryType, Header['type']>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  hardlink: 'link',
  char: 'character-device',
  block: 'block-device',
  fifo: 'fifo'
}

const entries: readonly (readonly [fields: Partial<TarEntry>, body: string])[] = [
  [{ type: 'directory', name: 'dir/', mode: 0o755 }, ''],
  [{ name: 'dir/file', mtime: { sec: 859_293_600, nsec: 0 } }, 'x'.repeat(1000)],
  [{ name: `${'p'.repeat(120)}/${'n'.repeat(90)}` }, 'split'],
  [{ name: 'n'.repeat(200), xattrs: [['user.a', 'b']] }, 'long'],
  [{ type: 'symlink', name: 'symlink', link: 'l'.repeat(150) }, ''],
  [{ type: 'hardlink', name: 'link', link: 'dir/file' }, ''],
  [{ type: 'char', name: 'null', devMajor: 1, devMinor: 3 }, ''],
  [{ type: 'fifo', name: 'fifo' }, '']
]

test('tar-stream reads what the writer wrote', async () => {
  const bytes = archive(...entries.map(([fields, body]) => member(fields, body)))
  expect(await readWithTarStream(bytes)).toEqual(
    readArchive(bytes).map(({ entry }) => common(entry))
  )
})

test('the reader reads what tar-stream wrote', async () => {
  const stream = pack()
  for (const [fields, body] of entries) stream.entry(tarStreamHeader(fields), body)
  stream.finalize()
  const bytes = await buffer(stream)
  expect(readArchive(bytes).map(({ entry }) => common(entry))).toEqual(
    await readWithTarStream(bytes)
  )
})

function common({ name, type, mode, size, mtime, link }: TarEntry): Common {
  return { name: name.replace(/\/$/, ''), type: TYPES[type], mode, size, mtime: mtime.sec, link }
}

function tarStreamHeader({
  name,
  type,
  mode,
  link,
  mtime
}: Partial<TarEntry>): Partial<Header> & { name: string } {
  return {
    name: name!,
    type: TYPES[type ?? 'file'],
    mode: mode ?? 0o644,
    mtime: new Date((mtime?.sec ?? 0) * 1000),
    ...(link === undefined ? {} : { linkname: link })
  }
}

async function readWithTarStream(bytes: Buffer): Promise<Common[]> {
  const stream = extract()
  stream.end(bytes)
  const read: Common[] = []
  for await (const entry of stream) {
    const { name, type, mode, size, mtime, linkname } = entry.header
    const seconds = mtime.getTime() / 1000
    const link = linkname || ''
    read.push({
      name: name.replace(/\/$/, ''),
      type: type,
      mode: mode,
      size: size,
      mtime: seconds,
      link
    })
    entry.resume()
  }
  return read
}
