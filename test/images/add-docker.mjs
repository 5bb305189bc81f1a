// Registers an image in skopeo's `dir:` form, media types untouched, in an OCI layout: add-docker.mjs DIR LAYOUT TAG
import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [directory, layout, tag] = process.argv.slice(2)
const blob = (hex) => join(layout, 'blobs/sha256', hex)

for (const name of readdirSync(directory).filter((name) => /^[0-9a-f]{64}$/.test(name)))
  copyFileSync(join(directory, name), blob(name))

const manifest = readFileSync(join(directory, 'manifest.json'))
const hex = createHash('sha256').update(manifest).digest('hex')
writeFileSync(blob(hex), manifest)

const indexFile = join(layout, 'index.json')
const index = JSON.parse(readFileSync(indexFile, 'utf8'))
index.manifests.push({
  mediaType: JSON.parse(manifest).mediaType,
  digest: `sha256:${hex}`,
  size: manifest.length,
  annotations: { 'org.opencontainers.image.ref.name': tag }
})
writeFileSync(indexFile, JSON.stringify(index))
