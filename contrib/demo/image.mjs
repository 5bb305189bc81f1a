// A small image of two layers, made with nothing but Node and tar-stream.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

const mtime = new Date('2026-01-01T00:00:00Z')

const LAYERS = [
  [
    { name: 'etc/', type: 'directory' },
    { name: 'etc/passwd', body: 'root:x:0:0:root:/root:/bin/sh\n' },
    { name: 'etc/motd', body: 'This text is replaced by the second layer.\n' },
    { name: 'srv/', type: 'directory' },
    { name: 'srv/old', body: 'This file is deleted by the second layer.\n' },
    { name: 'srv/data', body: 'one body, two names\n' },
    { name: 'srv/hardlink', type: 'link', linkname: 'srv/data' },
    { name: 'srv/symlink', type: 'symlink', linkname: 'data' },
    { name: 'srv/pipe', type: 'fifo' }
  ],
  [
    { name: 'etc/motd', body: 'Hello from the second layer.\n' },
    { name: 'srv/.wh.old' },
    { name: 'srv/setuid', mode: 0o4755, body: '#!/bin/sh\n' }
  ]
]

/** Writes an OCI layout with the one tag `demo`. */
export async function writeDemoImage(layout) {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const tars = await Promise.all(LAYERS.map(tar))
  const layers = tars.map((bytes) => store(layout, 'layer.v1.tar+gzip', gzipSync(bytes)))
  const config = storeJson(layout, 'config.v1+json', imageConfig(tars.map(sha256)))
  const manifest = storeJson(layout, 'manifest.v1+json', { schemaVersion: 2, config, layers })
  const annotations = { 'org.opencontainers.image.ref.name': 'demo' }
  write(layout, 'oci-layout', { imageLayoutVersion: '1.0.0' })
  write(layout, 'index.json', { schemaVersion: 2, manifests: [{ ...manifest, annotations }] })
}

function tar(entries) {
  const archive = pack()
  for (const { body = '', ...header } of entries) archive.entry({ mtime, ...header }, body)
  archive.finalize()
  return buffer(archive)
}

function imageConfig(diffIds) {
  const architecture = { x64: 'amd64', ia32: '386' }[process.arch] ?? process.arch
  const rootfs = { type: 'layers', diff_ids: diffIds }
  return { architecture, os: 'linux', config: { Cmd: ['/bin/sh'] }, rootfs }
}

function storeJson(layout, type, value) {
  return store(layout, type, Buffer.from(JSON.stringify(value)))
}

function store(layout, type, bytes) {
  const digest = sha256(bytes)
  writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), bytes)
  const mediaType = `application/vnd.oci.image.${type}`
  return { mediaType, digest, size: bytes.length }
}

function sha256(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function write(layout, name, value) {
  writeFileSync(join(layout, name), JSON.stringify(value))
}
