/**
 * The full name of an image, as skopeo writes it into an archive: `debian` is `docker.io/library/debian:latest`
 * (github.com/distribution/reference, ParseNormalizedNamed and TagNameOnly).
 */
export function fullDockerName(name: string): string {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const hasHost = /[.:]/.test(first) || first === 'localhost'
  const path = slash < 0 ? `library/${name}` : name
  return withTag(hasHost ? name : `docker.io/${path}`)
}

/** A colon after the last slash starts a tag; one before it belongs to the port of a host. */
function withTag(name: string): string {
  return name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`
}
