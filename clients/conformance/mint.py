"""Tokens by recipe, good and forged. Everything is signed here byte by byte, so that no library refuses to forge."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALGORITHMS = {"ed": "EdDSA", "es": "ES256", "rs": "RS256"}
MAKING = threading.Lock()


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Key:
    """A signing key. The first two letters of its name say which kind: `ed1`, `es1`, `rs1`."""

    name: str
    private: Any

    @property
    def algorithm(self) -> str:
        return ALGORITHMS[self.name[:2]]

    @property
    def jwk(self) -> dict[str, str]:
        common = {"kid": self.name, "use": "sig", "alg": self.algorithm}
        public = self.private.public_key()
        if self.algorithm == "EdDSA":
            return common | {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
        numbers = public.public_numbers()
        if self.algorithm == "ES256":
            x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
            return common | {"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y)}
        return common | {"kty": "RSA", "n": b64(numbers.n.to_bytes(256)), "e": b64(numbers.e.to_bytes(3))}

    @property
    def pem(self) -> bytes:
        spki: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return spki

    def sign(self, data: bytes) -> bytes:
        if self.algorithm == "EdDSA":
            signature: bytes = self.private.sign(data)
            return signature
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32) + s.to_bytes(32)
        return bytes(self.private.sign(data, padding.PKCS1v15(), hashes.SHA256()))


def key(name: str) -> Key:
    """The key of a name, the same for the whole run."""
    # Scenarios run beside each other, and a cache alone would let each that comes meanwhile make one of its own.
    with MAKING:
        return made(name)


@cache
def made(name: str) -> Key:
    match name[:2]:
        case "ed":
            return Key(name, ed25519.Ed25519PrivateKey.generate())
        case "es":
            return Key(name, ec.generate_private_key(ec.SECP256R1()))
        case _:
            return Key(name, rsa.generate_private_key(65537, 2048))


def claims(issuer: str, changes: dict[str, Any]) -> dict[str, Any]:
    """What userd says of a user. `{"in": -30}` is a time from now on; null leaves a claim out."""
    now = int(time.time())
    said: dict[str, Any] = {
        "iss": issuer,
        "aud": "userd",
        "sub": str(uuid.uuid4()),
        "sub_type": "user",
        "client_id": "userd",
        "sid": str(uuid.uuid4()),
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "roles": ["clerk"],
        "role_versions": [3],
        "permissions": ["orders.read"],
        "acr": "aal1",
        "amr": ["pwd"],
        "ver": 5,
    } | changes
    timed = {name: now + value["in"] if isinstance(value, dict) and "in" in value else value for name, value in said.items()}
    if timed["client_id"] == "subject":
        timed["client_id"] = timed["sub"]
    return {name: value for name, value in timed.items() if value is not None}


def token(issuer: str, recipe: dict[str, Any]) -> str:
    """A token by a recipe: `key`, `header` and `claims` (changes; null: left out), `sign`, `shape`."""
    signer = key(recipe.get("key", "ed1"))
    changed = recipe.get("header", {})
    header = {"alg": signer.algorithm, "kid": signer.name, "typ": "at+jwt"} | changed
    if changed.get("jwk") == "own":
        header["jwk"] = key("ed-stranger").jwk
    header = {name: value for name, value in header.items() if value is not None}
    said = claims(issuer, recipe.get("claims", {}))
    payload = recipe["payload"].encode() if "payload" in recipe else json.dumps(said).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    return shape(f"{signed}.{b64(signature(recipe.get('sign', 'right'), signer, signed.encode()))}", recipe.get("shape"))


def signature(how: str, signer: Key, data: bytes) -> bytes:
    right = signer.sign(data)
    match how:
        case "right":
            return right
        case "changed":
            return bytes([right[0] ^ 1]) + right[1:]
        case "cut":
            return right[:-1]
        case "longer":
            return right + b"\0"
        case "other bytes":
            return signer.sign(data + b"x")
        case "stranger":
            return key(signer.name[:2] + "-stranger").sign(data)
        case "zero":
            return bytes(len(right))
        case "der":
            return bytes(signer.private.sign(data, ec.ECDSA(hashes.SHA256())))
        case "hmac of the pem":
            return hmac.new(signer.pem, data, hashlib.sha256).digest()
        case "hmac of the jwk":
            public = signer.private.public_key().public_bytes_raw()
            return hmac.new(public, data, hashlib.sha256).digest()
        case "hmac of nothing":
            return hmac.new(b"", data, hashlib.sha256).digest()
        case _ if how in ("ed1", "es1", "rs1"):
            return key(how).sign(data)
    raise ValueError(how)


def shape(compact: str, how: str | None) -> str:
    head, body, tail = compact.split(".")
    shapes = {
        None: compact,
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{compact}.{tail}",
        "five parts": f"{compact}.{tail}.{tail}",
        "padded": f"{head}.{body}.{tail}==",
        "space before": f" {compact}",
        "new line behind": f"{compact}\n",
        "space within": f"{head}. {body}.{tail}",
        "another alphabet": f"{head}.{body}.+{tail[1:]}",
        "too long": f"{head}.{body}{'A' * 20_000}.{tail}",
        "empty": "",
        "not ASCII": f"{head}.{body}.é{tail}",
        "json": json.dumps({"protected": head, "payload": body, "signature": tail}),
    }
    return shapes[how]
