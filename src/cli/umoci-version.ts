/** The version that this program has under umoci's name. */

/**
 * The release of umoci whose command line this is. Scripts conclude from it which flags they may pass, so it names the
 * newest release of which nothing is missing.
 */
const UMOCI_RELEASE = '0.6.0'

/** The part after the plus names this program (semver.org, 10). */
export function umociVersion(ownVersion: string): string {
  return `${UMOCI_RELEASE}+oci-unpack.${ownVersion}`
}

/** What `--version` of newer releases of umoci prints, but for the version of Go. */
export function umociVersionLines(ownVersion: string): string {
  return [
    `umoci version ${umociVersion(ownVersion)}`,
    `image spec: ${IMAGE_SPEC}`,
    `runtime spec: ${RUNTIME_SPEC}`
  ].join('\n')
}

const IMAGE_SPEC = '1.1.1'

/** That of the config.json that `unpack` writes. */
const RUNTIME_SPEC = '1.0.2'
