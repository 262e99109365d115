"""A fake issuer: tokens for unit tests, without a server."""

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ._async import AsyncUserd
from ._sync import Userd


class FakeIssuer:
    """Mints what userd mints, with a key of its own."""

    def __init__(self, issuer: str = "https://users.test", audience: str = "userd") -> None:
        self.issuer, self.audience, self.key_id = issuer, audience, uuid.uuid4().hex
        self._key = Ed25519PrivateKey.generate()
        self._followers: list[Userd | AsyncUserd] = []
        # Of roles that allow less than at first.
        self._versions: dict[str, int] = {}

    @property
    def keys(self) -> dict[str, Any]:
        """The key set, as `/.well-known/jwks.json` answers it."""
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "alg": "EdDSA", "use": "sig"}]}

    def token(
        self,
        subject: str | None = None,
        *,
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        session: str | None = None,
        expires_in: int = 600,
        **claims: Any,
    ) -> str:
        """A user's token. Further claims are added, or replace what it would say; one that is None is left out."""
        now, anybody, roles = int(time.time()), str(uuid.uuid4()), list(roles)
        said: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject or anybody,
            "sub_type": "user",
            "client_id": "userd",
            "sid": session or str(uuid.uuid4()),
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + expires_in,
            "roles": roles,
            "role_versions": [self._versions.get(role, 1) for role in roles] or None,
            "permissions": list(permissions),
            "ver": 1,
        } | claims
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self._key, "EdDSA", {"kid": self.key_id, "typ": "at+jwt"})

    def service_token(self, client_id: str, *, permissions: Iterable[str] = (), **claims: Any) -> str:
        """A service account's token."""
        own: dict[str, Any] = {"client_id": client_id, "sid": None, "sub_type": "client"} | claims
        return self.token(client_id, permissions=permissions, **own)

    def userd(self) -> Userd:
        """A verifier that trusts this issuer and calls nobody."""
        userd = Userd(self.issuer, self.audience, keys=self.keys, transport=httpx.MockTransport(_nobody))
        self._followers.append(userd)
        return userd

    def async_userd(self) -> AsyncUserd:
        """The same for asyncio."""
        userd = AsyncUserd(self.issuer, self.audience, keys=self.keys, transport=httpx.MockTransport(_nobody))
        self._followers.append(userd)
        return userd

    def end_session(self, session: str) -> None:
        """What a sign-out does: the verifiers that were made here refuse the session's tokens."""
        self._revoke({"kind": "session", "session_id": session})

    def narrow_role(self, role: str) -> None:
        """What a role that allows less does: the tokens that carry it are refused, those made from now on are not."""
        self._versions[role] = self._versions.get(role, 1) + 1
        self._revoke({"kind": "role", "role": role, "min_version": self._versions[role]})

    def _revoke(self, what: dict[str, Any]) -> None:
        entry = {"id": str(uuid.uuid4()), "recorded_at": "2000-01-01T00:00:00Z", "expires_at": "9999-01-01T00:00:00Z"}
        for follower in self._followers:
            follower._core.view.apply([entry | what], time.time())


def _nobody(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)
