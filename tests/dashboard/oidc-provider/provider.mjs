// A provider of OpenID Connect for one client, with its own pages to sign in and to consent. Says its issuer once it listens.
// usage: node provider.mjs '{"client_id": ..., "client_secret": ..., "redirect_uri": ..., "groups": {"NAME": ["GROUP"]}}'
import { createServer } from "node:http";
import Provider from "oidc-provider";

const told = JSON.parse(process.argv[2]);
const server = createServer().listen(0, "localhost", () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: told.client_id, client_secret: told.client_secret, redirect_uris: [told.redirect_uri] }],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, groups: told.groups[id] ?? [] }) }),
    cookies: { keys: ["of a test"] },
    pkce: { required: () => true },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
