/** What the first word of commands of two words stands for. */
export const GROUPS: Readonly<Record<string, string>> = {
  raw: 'lower-level commands',
  file: 'commands for the files of an image that is not unpacked',
  erofs: 'commands for images of layers that can be mounted (default: make)',
  bundle: 'commands for existing bundles',
  hooks: 'commands for writing and running hooks'
}
