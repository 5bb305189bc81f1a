/** What has credentials for registries: the files of containers-auth.json(5), and what docker itself reads. */
import { join } from 'node:path'
import { configDirectory, homeIn, inDirectory, nonEmpty } from './user-directories.ts'

/** Facts of an error. */
export type AuthOrigin = { readonly file: string } | { readonly variable: string }

export type AuthPlace = AuthFilePlace | AuthVariable

export interface AuthFilePlace {
  readonly path: string
  /** Whether the user named this file; then it must exist. */
  readonly isNamed: boolean
  readonly form: AuthForm
}

/** A variable that contains what else is in a file. */
export interface AuthVariable {
  readonly variable: string
  readonly content: string
}

/** `former`: the whole document is what `auths` contains today. */
export type AuthForm = 'current' | 'former'

/** Set for the jobs of GitLab CI; read by docker (since 28) before its own files, and not by podman and skopeo. */
const VARIABLE = 'DOCKER_AUTH_CONFIG'

/** In the order in which they are looked at; the first with credentials for the registry counts. */
export function authPlaces(authfile: string | undefined, env: NodeJS.ProcessEnv): AuthPlace[] {
  const home = homeIn(env)
  const docker = nonEmpty(env.DOCKER_CONFIG) ?? inDirectory(home, '.docker')
  return [
    firstPlace(authfile, env),
    ...place(inDirectory(configDirectory(env), 'containers/auth.json'), 'current'),
    ...variable(env[VARIABLE]),
    ...place(inDirectory(docker, 'config.json'), 'current'),
    ...place(inDirectory(home, '.dockercfg'), 'former')
  ]
}

/** What `podman login` writes, unless the user names another file. */
function firstPlace(authfile: string | undefined, env: NodeJS.ProcessEnv): AuthFilePlace {
  const named = authfile ?? nonEmpty(env.REGISTRY_AUTH_FILE)
  if (named !== undefined) return { path: named, isNamed: true, form: 'current' }
  const runtime = nonEmpty(env.XDG_RUNTIME_DIR)
  const directory = runtime ?? `/run/containers/${process.getuid!()}`
  const path = join(directory, runtime === undefined ? 'auth.json' : 'containers/auth.json')
  return { path, isNamed: false, form: 'current' }
}

function place(path: string | undefined, form: AuthForm): AuthPlace[] {
  return path === undefined ? [] : [{ path, isNamed: false, form }]
}

/** In some jobs it is the path of a file that docker is to be given in another way, which is nothing for docker, either. */
function variable(content = ''): AuthPlace[] {
  return content.trimStart().startsWith('{') ? [{ variable: VARIABLE, content }] : []
}
