// What other services do, with openid-client and oauth4webapi: discover the server from its metadata, get a token of
// their own, ask about a user's token, revoke it.  node oauth.mjs ISSUER CLIENT_ID CLIENT_SECRET ACCESS_TOKEN
// Answers with one line of JSON.

import * as openid from 'openid-client'
import * as oauth from 'oauth4webapi'

const [issuer, clientId, clientSecret, userToken] = process.argv.slice(2)
const insecure = { [oauth.allowInsecureRequests]: true }
const result = {}

// openid-client.
const config = await openid.discovery(new URL(issuer), clientId, undefined, openid.ClientSecretBasic(clientSecret), {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests],
})
const own = await openid.clientCredentialsGrant(config)
result.own = { token_type: own.token_type, expires_in: own.expires_in, scope: own.scope }
result.own_active = (await openid.tokenIntrospection(config, own.access_token)).active
result.before = await openid.tokenIntrospection(config, userToken)
await openid.tokenRevocation(config, userToken)
result.after = await openid.tokenIntrospection(config, userToken)

// oauth4webapi, with the secret in the form.
const found = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure })
const server = await oauth.processDiscoveryResponse(new URL(issuer), found)
const client = { client_id: clientId }
const post = oauth.ClientSecretPost(clientSecret)
const granted = await oauth.clientCredentialsGrantRequest(server, client, post, {}, insecure)
const second = await oauth.processClientCredentialsResponse(server, client, granted)
const asked = await oauth.introspectionRequest(server, client, post, second.access_token, insecure)
result.second = (await oauth.processIntrospectionResponse(server, client, asked)).active
const wrong = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretPost('wrong'), {}, insecure)
result.wrong_secret = await oauth.processClientCredentialsResponse(server, client, wrong).catch((error) => error.status)

console.log(JSON.stringify(result))
