// An OpenID provider that is not ours: npm oidc-provider on a free port of the loopback.
//
//   node oidc_upstream.mjs <client_id> <client_secret> <redirect_uri>
//
// Prints its issuer and serves until the standard input ends. Any login is taken by its own interaction pages;
// whoever signs in as `x` is the subject `x` with the address `x@example.org`, proven unless `x` begins with `unproven`.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      email: `${id}@example.org`,
      email_verified: !id.startsWith("unproven"),
      name: `${id} of elsewhere`,
      preferred_username: id,
    }),
  }),
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
});
server.on("request", provider.callback());
console.log(issuer);
process.stdin.on("end", () => process.exit(0)).resume();
