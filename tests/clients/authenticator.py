"""An authenticator of another maker (python-fido2's own encoders), with a browser around it.

    python authenticator.py ORIGIN

Reads one line of JSON per ceremony, `{"create": options}` or `{"get": options}`, in WebAuthn's JSON form, and answers
what `toJSON()` would. `{"lose": true}` makes it forget its keys, `{"verify": false}` stops it from verifying who is there.
"""

import json
import sys
from hashlib import sha256
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialRequestOptions,
    RegistrationResponse,
)

FLAG = AuthenticatorData.FLAG


class Authenticator:
    def __init__(self, origin: str):
        self.origin, self.verifies = origin, True
        self.held: dict[bytes, tuple[str, bytes, ec.EllipticCurvePrivateKey, int]] = {}

    def flags(self) -> int:
        return FLAG.UP | FLAG.BE | FLAG.BS | (FLAG.UV if self.verifies else FLAG(0))

    def create(self, given: dict) -> dict:
        options = PublicKeyCredentialCreationOptions.from_dict(given)
        assert any(one.alg == ES256.ALGORITHM for one in options.pub_key_cred_params)
        key, credential_id = ec.generate_private_key(ec.SECP256R1()), token_bytes(16)
        data = AuthenticatorData.create(
            sha256(options.rp.id.encode()).digest(),
            self.flags() | FLAG.AT,
            0,
            AttestedCredentialData.create(Aaguid.NONE, credential_id, ES256.from_cryptography_key(key.public_key())),
        )
        self.held[credential_id] = (options.rp.id, options.user.id, key, 0)
        return dict(
            RegistrationResponse(
                raw_id=credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data=CollectedClientData.create("webauthn.create", options.challenge, self.origin),
                    attestation_object=AttestationObject.create("none", data, {}),
                ),
            )
        )

    def get(self, given: dict) -> dict:
        options = PublicKeyCredentialRequestOptions.from_dict(given)
        accepted = [one.id for one in options.allow_credentials or []]
        fits = [one for one in self.held if self.held[one][0] == options.rp_id and (not accepted or one in accepted)]
        credential_id = fits[0]
        rp_id, user, key, _ = self.held[credential_id]
        client_data = CollectedClientData.create("webauthn.get", options.challenge, self.origin)
        data = AuthenticatorData.create(sha256(rp_id.encode()).digest(), self.flags(), 0)
        return dict(
            AuthenticationResponse(
                raw_id=credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data=client_data,
                    authenticator_data=data,
                    signature=key.sign(bytes(data) + client_data.hash, ec.ECDSA(SHA256())),
                    user_handle=user,
                ),
            )
        )

    def answer(self, asked: dict) -> dict:
        if "create" in asked:
            return self.create(asked["create"])
        if "get" in asked:
            return self.get(asked["get"])
        if asked.get("lose"):
            self.held.clear()
        self.verifies = asked.get("verify", self.verifies)
        return {"held": len(self.held)}


def main() -> None:
    authenticator = Authenticator(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(authenticator.answer(json.loads(line))), flush=True)


main()
