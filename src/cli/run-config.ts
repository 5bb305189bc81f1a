/** Runs `config` and `raw runtime-config`. */
import { OciUnpackError } from '../errors.ts'
import { configureImage, writeRuntimeConfig, type ClearKey, type ConfigChanges } from '../index.ts'
import { tagOptions } from './change-values.ts'
import { isSet, text, texts, type Input, type Run } from './command.ts'
import { platformOption, required } from './flag-values.ts'
import { idMaps } from './id-map-values.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runConfig: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    configureImage({
      ...tagOptions(input),
      ...registry,
      changes: configChanges(input),
      signal: terminal.signal,
      onEvent
    })
  )
}

export const runRuntimeConfig: Run = async (input, terminal) => {
  const rootfs = text(input, 'rootfs')
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    writeRuntimeConfig({
      image: required(input, 'image'),
      file: input.positionals[0] ?? '',
      ...registry,
      ...platformOption(input),
      ...(rootfs === undefined || rootfs === '' ? {} : { rootfs }),
      uidMap: idMaps(input, 'uid-map'),
      gidMap: idMaps(input, 'gid-map'),
      rootless: isSet(input, 'rootless'),
      signal: terminal.signal,
      onEvent
    })
  )
}

function configChanges(input: Input): ConfigChanges {
  const found = {
    // the library refuses anything else
    clear: list(input, 'clear') as readonly ClearKey[] | undefined,
    created: text(input, 'created'),
    author: text(input, 'author'),
    os: text(input, 'os'),
    osVersion: text(input, 'platform.os.version'),
    architecture: text(input, 'architecture'),
    variant: text(input, 'platform.variant'),
    user: text(input, 'config.user'),
    workingDir: text(input, 'config.workingdir'),
    stopSignal: text(input, 'config.stopsignal'),
    exposedPorts: list(input, 'config.exposedports'),
    volumes: list(input, 'config.volume'),
    env: list(input, 'config.env'),
    entrypoint: list(input, 'config.entrypoint'),
    cmd: list(input, 'config.cmd'),
    labels: pairs(input, 'config.label'),
    annotations: pairs(input, 'manifest.annotation')
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

function list(input: Input, name: string): readonly string[] | undefined {
  const values = texts(input, name)
  return values.length === 0 ? undefined : values
}

/** If a name is repeated, its last value counts. */
function pairs(input: Input, name: string): Readonly<Record<string, string>> | undefined {
  return list(input, name) && Object.fromEntries(texts(input, name).map((it) => pair(name, it)))
}

function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf('=')
  if (at >= 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new OciUnpackError('USAGE', `--${flag} must be NAME=VALUE.`, { facts: { found: text } })
}
