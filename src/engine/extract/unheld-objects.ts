/** What an unpack could not give to the objects on disk: told once for each kind, however many objects there are. */
import { display, type ByteString } from '../../bytes.ts'
import { writeRules, type PolicyChoice } from '../../plan/policy/policies.ts'
import { OWNER_XATTR } from '../../plan/policy/rootless-owner.ts'
import type { Directory } from '../../plan/tree.ts'
import { unheldIn, type UnheldObject } from '../../plan/unheld-tree.ts'
import type { OnEvent } from '../operation/events.ts'

/**
 * Lists the objects that lack something, and warns of it.
 * @param isRemembered whether a repack will add it again
 */
export function reportUnheld(
  tree: Directory,
  policy: PolicyChoice,
  isRemembered: boolean,
  onEvent: OnEvent
): UnheldObject[] {
  if (!writeRules(policy).isLenient) return []
  const found = [...unheldIn(tree)]
  for (const { message, isConcerned, name, always } of KINDS) {
    const concerned = found.filter(isConcerned)
    const [first] = concerned
    if (first === undefined || (isRemembered && !always)) continue
    const end = isRemembered && name !== dropped ? ' A repack restores them.' : ''
    onEvent({
      type: 'warning',
      message: `${message}${end}`,
      facts: {
        entry: display(first.path === '' ? '.' : first.path),
        found: name === undefined ? concerned.length : namesOf(concerned, name)
      }
    })
  }
  return found.flatMap(withoutDropped)
}

interface Kind {
  message: string
  isConcerned: (object: UnheldObject) => boolean
  /** For attributes, which of them. */
  name?: (name: ByteString) => boolean
  /** Whether it matters even if a repack restores it: a container will miss it. */
  always: boolean
}

const dropped = (name: ByteString): boolean => name === OWNER_XATTR
const refused = (name: ByteString): boolean => name !== OWNER_XATTR

const KINDS: readonly Kind[] = [
  {
    message: 'Devices became empty files, because this process cannot make devices.',
    isConcerned: ({ unheld }) => unheld.type !== undefined,
    always: true
  },
  {
    message: 'Some extended attributes of the image could not be set.',
    isConcerned: ({ unheld: { xattrs = [] } }) => xattrs.some(([name]) => refused(name)),
    name: refused,
    always: true
  },
  {
    message: `The attribute ${OWNER_XATTR} of the image is left out, because rootless unpacking uses it itself.`,
    isConcerned: ({ unheld: { xattrs = [] } }) => xattrs.some(([name]) => dropped(name)),
    name: dropped,
    always: true
  },
  {
    message: 'Some set-user-ID or set-group-ID bits were refused.',
    isConcerned: ({ unheld }) => unheld.mode !== undefined,
    always: true
  },
  {
    message:
      'Owners of symbolic links and FIFOs are lost, because these cannot have an attribute for them.',
    isConcerned: ({ unheld }) => unheld.uid !== undefined,
    always: false
  }
]

function namesOf(objects: readonly UnheldObject[], isMeant: (name: ByteString) => boolean): string {
  const names = objects.flatMap(({ unheld: { xattrs = [] } }) => xattrs.map(([name]) => name))
  return [...new Set(names.filter(isMeant))].map(display).join(', ')
}

/** What is dropped on purpose is not remembered. */
function withoutDropped(object: UnheldObject): UnheldObject[] {
  const { xattrs = [], ...rest } = object.unheld
  const left = xattrs.filter(([name]) => refused(name))
  const unheld = left.length === 0 ? rest : { ...rest, xattrs: left }
  return Object.keys(unheld).length === 0 ? [] : [{ ...object, unheld }]
}
