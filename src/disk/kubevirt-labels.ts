/** What a KubeVirt containerDisk says about the virtual machines that it is for. */

const NAME = 'KUBEVIRT_IO_'

/**
 * Labels from variables of the image's environment: `INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=x` is the label
 * `instancetype.kubevirt.io/default-preference`.
 */
export function kubevirtLabels(environment: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const variable of environment) {
    const equals = variable.indexOf('=')
    const name = variable.slice(0, Math.max(0, equals))
    const label = labelOf(name)
    if (label !== undefined) labels[label] = variable.slice(equals + 1)
  }
  return labels
}

function labelOf(variable: string): string | undefined {
  const at = variable.indexOf(NAME)
  const before = variable.slice(0, at)
  const after = variable.slice(at + NAME.length)
  if (at < 0 || after === '' || (before !== '' && !before.endsWith('_'))) return undefined
  const domain = before.toLowerCase().replaceAll('_', '.')
  return `${domain}kubevirt.io/${after.toLowerCase().replaceAll('_', '-')}`
}
