"""Verifies access tokens with PyJWT from the JWKS URL alone: python verify_pyjwt.py JWKS_URL ISSUER AUDIENCE.

Reads one token per line and answers each with one line of JSON: its claims, or {"refused": why}.
"""

import json
import sys

import jwt

jwks_url, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(jwks_url)


def check(token: str) -> dict:
    key = keys.get_signing_key_from_jwt(token)
    if jwt.get_unverified_header(token)["typ"] != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return jwt.decode(
        token,
        key,
        # The algorithm that belongs to the key, never the one that the token names.
        algorithms=[key.algorithm_name],
        issuer=issuer,
        audience=audience,
        options={"require": ["iss", "aud", "sub", "exp", "iat", "jti"]},
    )


for line in sys.stdin:
    try:
        answer = check(line.strip())
    except jwt.PyJWTError as error:
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
