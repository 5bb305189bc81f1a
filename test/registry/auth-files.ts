/** Files with credentials as programs write them, with the secrets of these tests. */

export const USER = 'me'
export const PASSWORD = 'hunter2:with:colons'
export const TOKEN = 'identity-token-4711'

export const BASIC = { username: USER, password: PASSWORD }

/** `auth` as every program writes it. */
export const AUTH: string = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')

export function auths(entries: Readonly<Record<string, object>>, more: object = {}): string {
  return JSON.stringify({ auths: entries, ...more })
}

interface WrittenFile {
  name: string
  content: string
  /** Images whose registry it has credentials for, and those it has none for. */
  has: readonly string[]
  not?: readonly string[]
  found?: object
}

export const WRITTEN: readonly WrittenFile[] = [
  {
    name: 'podman login, skopeo login, buildah login',
    content: `{\n\t"auths": {\n\t\t"quay.io": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}`,
    has: ['quay.io/a/b', 'quay.io/c'],
    not: ['ghcr.io/a/b', 'quay.io:443/a', 'registry.quay.io/a', 'docker.io/quay.io']
  },
  {
    name: 'podman login docker.io',
    content: auths({ 'docker.io': { auth: AUTH } }),
    has: ['debian', 'docker.io/user/app', 'registry-1.docker.io/user/app']
  },
  {
    name: 'podman login for a namespace',
    content: auths({ 'quay.io/team': { auth: AUTH } }),
    has: ['quay.io/team/app', 'quay.io/team/a/b', 'quay.io/team'],
    not: ['quay.io/teams/app', 'quay.io/app']
  },
  {
    name: 'podman login for a repository',
    content: auths({ 'localhost:5000/team/app': { auth: AUTH } }),
    has: ['localhost:5000/team/app'],
    not: ['localhost:5000/team/app2', 'localhost:5000/team', 'localhost/team/app']
  },
  {
    name: 'docker login, to Docker Hub',
    content: `{\n\t"auths": {\n\t\t"https://index.docker.io/v1/": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}`,
    has: ['debian', 'user/app', 'index.docker.io/user/app'],
    not: ['quay.io/a']
  },
  {
    name: 'docker login, with a proxy and plug-ins beside it',
    content: auths(
      { 'ghcr.io': { auth: AUTH } },
      { HttpHeaders: { 'User-Agent': 'Docker-Client/19.03' }, proxies: {}, currentContext: 'x' }
    ),
    has: ['ghcr.io/owner/app'],
    not: ['debian']
  },
  {
    name: 'docker login with an address',
    content: auths({ 'https://registry.example.com/v2/': { auth: AUTH } }),
    has: ['registry.example.com/app', 'Registry.Example.com/app'],
    not: ['registry.example.com:5000/app', 'example.com/app']
  },
  {
    name: 'docker login over HTTP',
    content: auths({ 'http://localhost:5000': { auth: AUTH } }),
    has: ['localhost:5000/app'],
    not: ['localhost/app', '127.0.0.1:5000/app']
  },
  {
    name: 'kubectl create secret docker-registry',
    content: auths({
      'https://index.docker.io/v1/': { ...BASIC, email: 'me@example.com', auth: AUTH }
    }),
    has: ['debian']
  },
  {
    name: 'a Kubernetes secret by hand, without auth',
    content: auths({ 'registry.example.com/v1/': { ...BASIC, email: '' } }),
    has: ['registry.example.com/team/app']
  },
  {
    name: 'docker/login-action on GitHub Actions',
    content: auths({ 'https://index.docker.io/v1/': {}, 'ghcr.io': { auth: AUTH } }),
    has: ['ghcr.io/owner/app'],
    not: ['debian']
  },
  {
    name: 'GitLab CI, with the port of the default scheme',
    content: auths({ 'registry.gitlab.com': { auth: AUTH }, 'gitlab.com:443': { auth: AUTH } }),
    has: ['registry.gitlab.com/group/app', 'gitlab.com:443/group/app']
  },
  {
    name: 'az acr login',
    content: auths({
      'team.azurecr.io': {
        auth: Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64'),
        identitytoken: TOKEN
      }
    }),
    has: ['team.azurecr.io/app'],
    found: { identityToken: TOKEN }
  },
  {
    name: 'a token in place of a user',
    content: auths({ 'h.io': { auth: Buffer.from(`<token>:${TOKEN}`).toString('base64') } }),
    has: ['h.io/app'],
    found: { identityToken: TOKEN }
  },
  {
    name: 'gcloud, with its access token as the password',
    content: auths({
      'https://europe-docker.pkg.dev': {
        auth: Buffer.from('oauth2accesstoken:ya29.x').toString('base64')
      }
    }),
    has: ['europe-docker.pkg.dev/p/r/app'],
    found: { username: 'oauth2accesstoken', password: 'ya29.x' }
  },
  {
    name: 'aws ecr get-login-password | docker login',
    content: auths({
      '1234.dkr.ecr.eu-west-1.amazonaws.com': { auth: Buffer.from('AWS:eyJw').toString('base64') }
    }),
    has: ['1234.dkr.ecr.eu-west-1.amazonaws.com/app'],
    found: { username: 'AWS', password: 'eyJw' }
  },
  {
    name: 'auth without padding',
    content: auths({ 'h.io': { auth: AUTH.replaceAll('=', '') } }),
    has: ['h.io/app']
  },
  {
    name: 'auth that ends with NULs',
    content: auths({
      'h.io': { auth: Buffer.from(`${USER}:${PASSWORD}\0\0`).toString('base64') }
    }),
    has: ['h.io/app']
  },
  {
    name: 'a byte order mark',
    content: `\uFEFF${auths({ 'h.io': { auth: AUTH } })}`,
    has: ['h.io/app']
  },
  {
    name: 'an IPv6 address',
    content: auths({ '[::1]:5000': { auth: AUTH } }),
    has: ['[::1]:5000/app'],
    not: ['[::1]/app']
  },
  {
    name: 'an entry that says nothing, beside one that does',
    content: auths({ 'quay.io/team': {}, 'https://quay.io': { auth: AUTH } }),
    has: ['quay.io/team/app']
  },
  { name: 'an empty file', content: '', has: [], not: ['debian'] },
  { name: 'an empty document', content: '{}', has: [], not: ['debian'] },
  {
    name: 'settings without credentials',
    content: '{"auths":null,"credsStore":""}',
    has: [],
    not: ['debian']
  }
]
