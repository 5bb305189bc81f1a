/** The platform of an image as text. */
import { display, fromText } from '../bytes.ts'
import type { Platform } from '../inspect.ts'

/** `os/arch[/variant]` of an image; `<none>` for it or for a part that it does not name. */
export function platformName(platform: Platform | undefined): string {
  if (platform === undefined) return '<none>'
  const { os, architecture, variant } = platform
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])]
  return display(fromText(parts.map((part) => part || '<none>').join('/')))
}
