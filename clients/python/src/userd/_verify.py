"""Verification of one token against a key set: no network, no clock of its own."""

import json
import re
from base64 import urlsafe_b64decode
from typing import Any

import jwt

from ._keys import KeySet
from ._settings import Settings
from ._token import Token
from .errors import InvalidToken

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\Z")
_LONGEST = 16_384
_LAST_SECOND = 253_402_300_799
_LARGEST = 2**63 - 1
_TYPES = ("at+jwt", "application/at+jwt")
_SUPPORTED = ("EdDSA", "ES256", "RS256")
# The algorithms themselves: `jwt.decode` would read header and claims once more, and less strictly.
_ALGORITHMS = {name: jwt.get_algorithm_by_name(name) for name in _SUPPORTED}


class UnknownKey(InvalidToken):
    """The key set does not have the key: it may have to be asked for again."""

    def __init__(self) -> None:
        super().__init__("unknown_key")


def verify(text: str, keys: KeySet, settings: Settings, now: float) -> Token:
    """The token, or `InvalidToken` with the reason."""
    compact = _COMPACT.match(text) if len(text) <= _LONGEST else None
    if compact is None:
        raise InvalidToken("malformed")
    kid, algorithm = _header(_object(compact[1]))
    key = keys.get(kid)
    if key is None:
        raise UnknownKey
    # The algorithm that belongs to the key, never the one that the token names.
    if algorithm != key.algorithm:
        raise InvalidToken("algorithm")
    signed = text[: compact.start(3) - 1].encode("ascii")
    if not _ALGORITHMS[key.algorithm].verify(signed, key.jwk.key, _bytes(compact[3])):
        raise InvalidToken("signature")
    return _token(_object(compact[2]), kid, settings, now)


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise InvalidToken("malformed") from None
    if not isinstance(value, dict):
        raise InvalidToken("malformed")
    return value


def _bytes(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidToken("malformed") from None


def _header(header: dict[str, Any]) -> tuple[str, str]:
    kind, kid, algorithm = header.get("typ"), header.get("kid"), header.get("alg")
    if "crit" in header or "b64" in header:
        raise InvalidToken("malformed")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidToken("type")
    if not isinstance(algorithm, str) or algorithm not in _SUPPORTED:
        raise InvalidToken("algorithm")
    if not isinstance(kid, str) or not kid:
        raise UnknownKey
    return kid, algorithm


def _token(claims: dict[str, Any], kid: str, settings: Settings, now: float) -> Token:
    token = Token(
        subject=_text(claims, "sub"),
        client_id=_text(claims, "client_id"),
        session_id=_text(claims, "sid") if "sid" in claims else None,
        token_id=_text(claims, "jti"),
        issued_at=_whole(claims, "iat"),
        expires_at=_whole(claims, "exp"),
        version=_whole(claims, "ver", _LARGEST),
        roles=_words(claims, "roles"),
        role_versions=_role_versions(claims),
        permissions=_words(claims, "permissions"),
        key_id=kid,
        claims=claims,
    )
    not_before = _whole(claims, "nbf") if "nbf" in claims else token.issued_at
    if token.session_id is None and token.client_id != token.subject:
        raise InvalidToken("claims")
    if claims.get("iss") != settings.issuer:
        # Its signature is good, so that it is most likely the configuration that is wrong.
        told = f"the token says {claims.get('iss')!r}, the configuration {settings.issuer!r}; they are compared letter by letter"
        raise InvalidToken("issuer", told)
    if settings.audience not in _audiences(claims.get("aud")):
        raise InvalidToken("audience")
    check_times(token, settings, now)
    if max(not_before, token.issued_at) > now + settings.leeway:
        raise InvalidToken("not_yet_valid")
    return token


def check_times(token: Token, settings: Settings, now: float) -> None:
    """What a remembered token is asked again."""
    if token.expires_at <= now - settings.leeway:
        raise InvalidToken("expired")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken("claims")
    return value


def _whole(claims: dict[str, Any], name: str, most: int = _LAST_SECOND) -> int:
    return _number(claims.get(name), most)


def _number(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise InvalidToken("claims")
    return value


def _words(claims: dict[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise InvalidToken("claims")
    return frozenset(value)


def _role_versions(claims: dict[str, Any]) -> dict[str, int]:
    """They stand at the places of their roles, which are read already."""
    versions = claims.get("role_versions", [])
    if not isinstance(versions, list):
        raise InvalidToken("claims")
    return dict(zip(claims.get("roles", []), [_number(one, _LARGEST) for one in versions], strict=False))


def _audiences(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise InvalidToken("audience")
