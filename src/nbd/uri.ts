/** NBD URIs (doc/uri.md in the repository of the protocol). */

/** Where a server listens: a Unix socket by its absolute path, or a TCP port. */
export type Address =
  | { readonly socket: string; readonly port?: undefined }
  | { readonly socket?: undefined; readonly host: string; readonly port: number }

/** @param name of the export; the default export has the empty name */
export function nbdUri(address: Address, name: string): string {
  const path = encoded(name)
  if (address.socket === undefined) return `nbd://${address.host}:${address.port}/${path}`
  return `nbd+unix:///${path}?socket=${encoded(address.socket)}`
}

function encoded(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/')
}
