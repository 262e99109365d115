"""Verifies access tokens with joserfc from the JWKS URL alone: python verify_joserfc.py JWKS_URL ISSUER AUDIENCE.

Reads one token per line and answers each with one line of JSON: its claims, or {"refused": why}.
"""

import json
import sys
import urllib.request
import warnings

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

# RFC 9864 prefers the name Ed25519; what we sign says EdDSA, which every library knows.
warnings.simplefilter("ignore", SecurityWarning)
jwks_url, issuer, audience = sys.argv[1:]
claims = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": issuer},
    aud={"essential": True, "value": audience},
    sub={"essential": True},
    exp={"essential": True},
)


def fetch() -> KeySet:
    with urllib.request.urlopen(jwks_url) as answer:
        return KeySet.import_key_set(json.load(answer))


keys = fetch()


def check(token: str) -> dict:
    decoded = jwt.decode(token, keys, algorithms=["Ed25519", "EdDSA", "ES256", "RS256"])
    if decoded.header["typ"] != "at+jwt":
        raise ValueError("not an access token")
    claims.validate(decoded.claims)
    return decoded.claims


for line in sys.stdin:
    try:
        try:
            answer = check(line.strip())
        except ValueError:
            # A key that is not known yet: rotated meanwhile.
            keys = fetch()
            answer = check(line.strip())
    except (JoseError, ValueError) as error:
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
