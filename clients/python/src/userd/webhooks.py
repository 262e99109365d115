"""Webhooks: whether a call is genuine (Standard Webhooks)."""

import hashlib
import hmac
import json
import time
from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .errors import InvalidWebhook
from .events import Event, event_of

_TOLERANCE = 300


class Webhook:
    """A webhook with its secret (`whsec_…`) or its public key (`whpk_…`); two while one is being replaced."""

    def __init__(self, *secrets: str) -> None:
        if not secrets:
            raise ValueError("a webhook has a secret")
        public = [secret.removeprefix("whpk_") for secret in secrets if secret.startswith("whpk_")]
        self._public = [Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True)) for key in public]
        shared = [secret for secret in secrets if not secret.startswith("whpk_")]
        self._keys = [b64decode(secret.removeprefix("whsec_"), validate=True) for secret in shared]
        if not all(self._keys):
            raise ValueError("a secret must not be empty")

    def verify(self, body: bytes, headers: Mapping[str, str], now: float | None = None) -> Event:
        """The event of a call: give the body's bytes as they came. Raises `InvalidWebhook`. The id of the call,
        `webhook-id`, is the same when it is sent again: do nothing then."""
        lower = {name.lower(): value for name, value in headers.items()}
        call, moment = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
        if not call or not moment.isascii() or not moment.isdigit():
            raise InvalidWebhook("headers are missing")
        if abs((time.time() if now is None else now) - int(moment[:15])) > _TOLERANCE:
            raise InvalidWebhook("too old, or from the future")
        parts = [part.partition(",") for part in lower.get("webhook-signature", "").split(" ")]
        signed = f"{call}.{moment}.".encode() + body
        right = [hmac.new(key, signed, hashlib.sha256).digest() for key in self._keys]
        if not any(
            any(_same(one, text) for one in right)
            if version == "v1"
            else version == "v1a" and any(_is_by(key, text, signed) for key in self._public)
            for version, _, text in parts
        ):
            raise InvalidWebhook("no signature is right")
        try:
            return event_of(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidWebhook("not an event") from error


def _is_by(key: Ed25519PublicKey, shown: str, signed: bytes) -> bool:
    try:
        key.verify(b64decode(shown, validate=True), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _same(right: bytes, shown: str) -> bool:
    try:
        return hmac.compare_digest(right, b64decode(shown, validate=True))
    except ValueError:
        return False
