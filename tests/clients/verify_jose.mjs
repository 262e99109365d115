// Verifies access tokens with npm jose from the JWKS URL alone: node verify_jose.mjs JWKS_URL ISSUER AUDIENCE.
// Reads one token per line and answers each with one line of JSON: its claims, or {"refused": why}.

import { createInterface } from 'node:readline'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [url, issuer, audience] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(url))

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    const options = { issuer, audience, typ: 'at+jwt', requiredClaims: ['sub', 'exp', 'iat', 'jti'] }
    answer = (await jwtVerify(line.trim(), keys, options)).payload
  } catch (error) {
    answer = { refused: `${error.code}: ${error.message}` }
  }
  console.log(JSON.stringify(answer))
}
