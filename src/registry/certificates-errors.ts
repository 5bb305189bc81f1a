/** What can go wrong with certificates, in words. */
import { OciUnpackError } from '../errors.ts'

export function certificatesUnusable(file: string, reason: string): OciUnpackError {
  return new OciUnpackError(
    'CERTIFICATES_INVALID',
    'A certificate or key for the registry cannot be used.',
    {
      facts: { file, reason },
      hint: 'Authorities are in *.crt; the certificate of this client in NAME.cert, with its key in NAME.key. Name another directory with {registry.certDir}.'
    }
  )
}
