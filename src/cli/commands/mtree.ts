/** The declaration of `raw mtree-validate`. */
import type { Command } from '../command.ts'
import { JSON_FLAG, ROOTLESS_FLAG } from '../flags.ts'

export const mtreeValidateCommand: Command = {
  path: ['raw', 'mtree-validate'],
  summary: 'compare a directory with a tree manifest (mtree)',
  description:
    'Prints each path that differs, with its values in the tree manifest and on disk. The exit status is 1 if a path differs. ' +
    'Lists of keywords are separated by commas or spaces. A keyword in a list is also compared where the tree manifest does not state it.',
  positionals: [],
  flags: [
    {
      name: 'manifest',
      aliases: ['f', 'file'],
      value: 'FILE',
      summary: 'tree manifest',
      kind: 'file',
      required: true
    },
    {
      name: 'path',
      aliases: ['p'],
      value: 'DIRECTORY',
      summary: 'directory to compare with the tree manifest',
      kind: 'directory',
      required: true
    },
    {
      name: 'use-keywords',
      aliases: ['k'],
      value: 'LIST',
      summary: 'keywords to compare (default: those of the tree manifest)'
    },
    {
      name: 'add-keywords',
      aliases: ['K'],
      value: 'LIST',
      summary: 'additional keywords to compare'
    },
    { ...ROOTLESS_FLAG, summary: 'read also what its owner may not read, and put the modes back' },
    { name: 'umoci-keywords', summary: 'compare the keywords that umoci uses' },
    { name: 'jobs', value: 'N', summary: 'processors to use (default: all; 0: no threads)' },
    { ...JSON_FLAG, summary: 'print one JSON object per path' }
  ],
  examples: [
    'oci-unpack raw mtree-validate --manifest bundle/sha256_abc.mtree --path bundle/rootfs',
    'oci-unpack raw mtree-validate -f tree.mtree -p tree -k type,mode,sha256'
  ],
  load: async () => (await import('../run-validate.ts')).runValidate
}
