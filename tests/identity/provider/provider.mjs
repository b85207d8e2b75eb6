// The certified provider, with the people of a file that a test writes: node --eval, in the folder
// in which it is installed. Arguments: port, file of people, address of the site.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

globalThis.crypto ??= webcrypto; // Node.js 18 has it, but not there
const { default: Provider } = await import('oidc-provider');

const [port, people, site] = process.argv.slice(-3);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'lightkeeper',
    client_secret: 'a-secret-of-tests',
    redirect_uris: [`${site}/sign-in/openid/return`],
    post_logout_redirect_uris: ['http://localhost:8765/', `${site}/`],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  claims: {
    openid: ['sub', 'entitlements'],
    profile: ['name', 'given_name', 'family_name', 'orcid'],
    email: ['email', 'email_verified'],
  },
  pkce: { required: () => true },
  cookies: { keys: ['only-for-tests'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, ...JSON.parse(readFileSync(people))[sub] }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
