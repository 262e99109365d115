"""The key set: which keys there are, each with the one algorithm that it is for, and when to ask for them again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

_ALGORITHMS: dict[Any, str] = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}
_SMALLEST_MODULUS = 342
"""Characters of `n` of an RSA key with 2,048 bits."""

REFRESH_INTERVAL = 5.0
"""Strangers' `kid`s and faults make us ask no more often than this."""
DEFAULT_LIFETIME = 300.0
LONGEST_STALE = 86_400.0


@dataclass(frozen=True, slots=True)
class Key:
    algorithm: str
    jwk: jwt.PyJWK


def parse(document: Any) -> dict[str, Key]:
    """The keys of a JWKS that can be used; others are left out, so that a new kind breaks nothing."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a key set")
    keys = {}
    for member in document["keys"]:
        key = _key(member)
        if key is not None:
            keys[member["kid"]] = key
    return keys


def _key(member: Any) -> Key | None:
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
        return None
    algorithm = _ALGORITHMS.get((member.get("kty"), member.get("crv")))
    if algorithm is None or member.get("alg", algorithm) != algorithm or member.get("use", "sig") != "sig":
        return None
    if algorithm == "RS256" and len(str(member.get("n", ""))) < _SMALLEST_MODULUS:
        return None
    try:
        return Key(algorithm, jwt.PyJWK(member, algorithm=algorithm))
    except jwt.PyJWTError:
        return None


def lifetime(headers: Mapping[str, str]) -> float:
    """How long the set may be kept, by `Cache-Control`; at most an hour."""
    found = re.search(r"max-age=(\d{1,6})", headers.get("cache-control", ""))
    return min(float(found[1]), 3_600.0) if found else DEFAULT_LIFETIME


@dataclass(slots=True)
class KeySet:
    """The set as it is known. Times are of a monotonic clock."""

    keys: dict[str, Key] = field(default_factory=dict)
    is_fixed: bool = False
    fetched_at: float | None = None
    fresh_until: float = 0.0
    asked_at: float | None = None

    def get(self, kid: str) -> Key | None:
        return self.keys.get(kid)

    def is_usable(self, now: float) -> bool:
        return self.is_fixed or (self.fetched_at is not None and now - self.fetched_at < LONGEST_STALE)

    def is_due(self, now: float) -> bool:
        return not self.is_fixed and now >= self.fresh_until and self.may_ask(now)

    def may_ask(self, now: float) -> bool:
        return not self.is_fixed and (self.asked_at is None or now - self.asked_at >= REFRESH_INTERVAL)

    def expire(self) -> None:
        """A key was revoked: the set has changed."""
        self.fresh_until, self.asked_at = 0.0, None

    def replace(self, document: Any, headers: Mapping[str, str], now: float) -> None:
        self.keys = parse(document)
        self.fetched_at, self.fresh_until = now, now + lifetime(headers)
