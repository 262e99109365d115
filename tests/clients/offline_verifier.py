"""A service that verifies tokens offline and still hears of revocations, in a hundred lines: an example to copy.

    python offline_verifier.py BASE_URL ISSUER AUDIENCE CLIENT_ID CLIENT_SECRET [user|client]

Takes people's tokens, or with `client` those of services: a service's `sub` is nobody's id. The service account needs the permission `revocations.read`. Reads one token per line; answers `good` or why not. Here
the feed is polled before each answer; a service does it beside its requests, every second or with `wait=25`.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from datetime import datetime

import jwt


class Verifier:
    def __init__(self, base: str, issuer: str, audience: str, client_id: str, client_secret: str, whose: str = "user"):
        self.base, self.issuer, self.audience, self.whose = base, issuer, audience, whose
        self.basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self.keys = jwt.PyJWKClient(f"{base}/.well-known/jwks.json")
        self.own_token, self.own_token_until = "", 0.0
        self.cursor = None
        self.sessions, self.tokens, self.signing_keys = set(), set(), set()
        self.users: dict[str, int] = {}
        self.clients: dict[str, int] = {}
        self.roles: dict[str, int] = {}
        self.issued_before = 0

    def token(self) -> str:
        """An access token of our own, for the feed."""
        if time.monotonic() >= self.own_token_until:
            request = urllib.request.Request(
                f"{self.base}/oauth2/token",
                data=b"grant_type=client_credentials",
                headers={"Authorization": f"Basic {self.basic}"},
            )
            with urllib.request.urlopen(request) as answer:
                body = json.load(answer)
            self.own_token = body["access_token"]
            self.own_token_until = time.monotonic() + body["expires_in"] / 2
        return self.own_token

    def poll(self) -> None:
        """Reads what is new in the feed. An entry may come twice; applying it twice changes nothing."""
        is_second_try = False
        while True:
            query = {"limit": 200} | ({"after": self.cursor} if self.cursor else {})
            request = urllib.request.Request(
                f"{self.base}/v1/revocations?{urllib.parse.urlencode(query)}",
                headers={"Authorization": f"Bearer {self.token()}"},
            )
            try:
                with urllib.request.urlopen(request) as answer:
                    page = json.load(answer)
            except urllib.error.HTTPError as error:
                # Another feed than before: a backup was restored. What we know still counts.
                if error.code == 410 and self.cursor:
                    self.cursor = None
                    continue
                # The revocation can be of the key that signed our own token.
                if error.code != 401 or is_second_try:
                    raise
                self.own_token_until, is_second_try = 0.0, True
                continue
            for entry in page["items"]:
                self.apply(entry)
            self.cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    def apply(self, entry: dict) -> None:
        match entry["kind"]:
            case "session":
                self.sessions.add(entry["session_id"])
            case "token":
                self.tokens.add(entry["token_id"])
            case "key":
                self.signing_keys.add(entry["kid"])
            case "user":
                lowest = self.users.get(entry["user_id"], 0)
                self.users[entry["user_id"]] = max(lowest, entry["min_epoch"])
            case "client":
                lowest = self.clients.get(entry["client_id"], 0)
                self.clients[entry["client_id"]] = max(lowest, entry["before"])
            case "role":
                lowest = self.roles.get(entry["role"], 0)
                self.roles[entry["role"]] = max(lowest, entry["min_version"])
            case "all":
                issued_before = datetime.fromisoformat(entry["issued_before"])
                self.issued_before = max(self.issued_before, int(issued_before.timestamp()))

    def check(self, token: str) -> dict:
        key = self.keys.get_signing_key_from_jwt(token)
        whole = jwt.decode_complete(
            token, key, algorithms=[key.algorithm_name], issuer=self.issuer, audience=self.audience
        )
        claims = whole["payload"]
        # The same keys sign more than access tokens, and not every access token is a person's.
        if whole["header"].get("typ") != "at+jwt" or claims.get("sub_type") != self.whose:
            raise jwt.InvalidTokenError(f"not an access token of a {self.whose}")
        revoked = (
            claims["iat"] < self.issued_before
            or key.key_id in self.signing_keys
            or claims["jti"] in self.tokens
            or claims.get("sid") in self.sessions
            or claims["ver"] < self.users.get(claims["sub"], 0)
            or claims["ver"] < self.clients.get(claims["client_id"], 0)
            or self.carries_too_much(claims)
        )
        if revoked:
            raise jwt.InvalidTokenError("revoked")
        return claims

    def carries_too_much(self, claims: dict) -> bool:
        """Whether a role of the token allows less by now. Versions stand at the places of their roles."""
        roles = claims["roles"]
        versions = claims.get("role_versions") or [0] * len(roles)
        return any(version < self.roles.get(role, 0) for role, version in zip(roles, versions, strict=True))


if __name__ == "__main__":
    verifier = Verifier(*sys.argv[1:])
    for line in sys.stdin:
        verifier.poll()
        try:
            verifier.check(line.strip())
            print(json.dumps({"good": True}), flush=True)
        except jwt.PyJWTError as error:
            print(json.dumps({"refused": str(error)}), flush=True)
