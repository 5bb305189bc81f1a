/** How the config.json of umoci 0.4.7 differs from ours. */
import type { ImageConfig } from '../../src/bundle/image-config.ts'
import { sortKeys } from '../../src/bundle/json.ts'
import type { ProcessUser, RuntimeSpec } from '../../src/bundle/runtime-spec.ts'

/** Every difference that this image shows, put back. */
export function asOldUmoci(spec: RuntimeSpec, theirs: string, image: ImageConfig): RuntimeSpec {
  const { process, annotations, linux, mounts } = spec
  const isNumeric = /^[0-9]+$/.test(image.config?.User ?? '')
  const namespaces = linux.namespaces.filter(({ type }) => type !== 'cgroup')
  return {
    ...spec,
    ociVersion: '1.0.0',
    // It gives supplementary groups to numeric users too, against conversion.md.
    process: { ...process, user: isNumeric ? userOf(theirs) : process.user },
    // It compares statfs(2)'s ST_RELATIME with mount(2)'s MS_RELATIME, which is another bit.
    mounts: mounts.map((mount) => (mount.type === 'bind' ? withoutRelatime(mount) : mount)),
    // It writes annotations that have no value.
    annotations: sortKeys({ ...emptyAnnotations(), ...annotations }),
    // Later versions have the cgroup namespace.
    linux: { ...linux, namespaces }
  }
}

type Mount = RuntimeSpec['mounts'][number]

function withoutRelatime(mount: Mount): Mount {
  return { ...mount, options: (mount.options ?? []).filter((option) => option !== 'relatime') }
}

function userOf(config: string): ProcessUser {
  return (JSON.parse(config) as RuntimeSpec).process.user
}

function emptyAnnotations(): Record<string, string> {
  const names = ['architecture', 'author', 'created', 'exposedPorts', 'os', 'stopSignal']
  return Object.fromEntries(names.map((name) => [`org.opencontainers.image.${name}`, '']))
}
