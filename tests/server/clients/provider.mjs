// A real OpenID provider: `node provider.mjs {"port", "audience", "people", "key"}`; without a `key`, each start has new ones.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { port, audience, people, key: given } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = given ?? { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
const claimsOf = (name) => people[name] ?? {};

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['only-for-tests'] },
  clients: [
    {
      client_id: 'studio', // an application in which people sign in
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1:1/signed-in'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      application_type: 'native',
    },
    {
      client_id: 'robot', // a program that signs in as itself
      client_secret: 'robot-secret',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) }),
  extraTokenClaims: (_, token) => claimsOf(token.accountId ?? token.clientId),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'api',
        audience: resource === 'urn:windtunnel' ? audience : resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

provider.listen(port, '127.0.0.1', () => console.log(`provider ready ${issuer}`));
