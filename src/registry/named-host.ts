/** Credentials and exceptions that a user gives are for the registry that the user names, and for no other. */
import type { RegistrySettings } from './registry.ts'

/** What of the settings may be used for a host that only a document names: a bundle may be a stranger's. */
export function settingsForUnnamed(settings: RegistrySettings | undefined): RegistrySettings {
  return { ...settings, credentials: undefined, tlsVerify: undefined, certDir: undefined }
}
