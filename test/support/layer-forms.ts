/** The same files in every form that a layer can have. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { estargz } from './estargz.ts'
import { buildImage, type Layer } from './image-builder.ts'
import { needs } from './requires.ts'
import { ok } from './run.ts'
import { tar, type Entry } from './tar-builder.ts'

export interface LayerForm {
  name: string
  layer(entries: readonly Entry[]): Layer
  /** Of an image of layers in another form, in the same layout. Default: nothing is to be done. */
  convert?(layout: string): void
}

const FRAME_BYTES = 2 ** 20 + 11

/** Those that can be made here. */
export function layerForms(): LayerForm[] {
  return [
    { name: 'no compression', layer: (entries) => stored(tar(...entries), 'tar', (it) => it) },
    { name: 'gzip', layer: gzipped },
    { name: 'eStargz', layer: (entries) => estargz(...entries) },
    ...(needs('zstd')
      ? [
          { name: 'one zstd frame', layer: zstdOf(Infinity) },
          { name: 'zstd frames of 1 MiB', layer: zstdOf(FRAME_BYTES) }
        ]
      : []),
    ...(needs('skopeo') ? [{ name: 'zstd:chunked', layer: gzipped, convert: toChunked }] : [])
  ]
}

/** @param layout does not exist yet. Returns the name of the image. */
export function imageInForm(
  layout: string,
  form: LayerForm,
  layers: readonly (readonly Entry[])[]
): string {
  const { reference } = buildImage(layout, { layers: layers.map((it) => form.layer(it)) })
  form.convert?.(layout)
  return reference
}

function stored(content: Buffer, suffix: string, pack: (content: Buffer) => Buffer): Layer {
  const mediaType = `application/vnd.oci.image.layer.v1.${suffix}`
  return { tar: content, blob: pack(content), mediaType }
}

function gzipped(entries: readonly Entry[]): Layer {
  return stored(tar(...entries), 'tar+gzip', (it) => gzipSync(it, { level: 1 }))
}

function zstdOf(frameBytes: number): (entries: readonly Entry[]) => Layer {
  const pack = (content: Buffer): Buffer => {
    const frames: Buffer[] = []
    const step = Math.min(frameBytes, content.length)
    for (let at = 0; at < content.length; at += step)
      frames.push(compressZstd(content.subarray(at, at + step)))
    return Buffer.concat(frames)
  }
  return (entries) => stored(tar(...entries), 'tar+zstd', pack)
}

function compressZstd(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['-q', '-1', '-c'], { input: bytes, maxBuffer: 1 << 28 })
}

/** skopeo writes this form; what is in it is up to its library. */
function toChunked(layout: string): void {
  const made = `${layout}-chunked`
  const format = ['--dest-compress', '--dest-compress-format', 'zstd:chunked']
  ok('skopeo', '--insecure-policy', 'copy', ...format, `oci:${layout}:latest`, `oci:${made}:latest`)
  rmSync(layout, { recursive: true })
  ok('mv', made, layout)
}
