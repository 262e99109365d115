"""Checks webhooks with the library of Standard Webhooks, and `v1a` with another maker's Ed25519. Answers each line of
standard input with a line of JSON: `now`, or `verify {"secret", "headers", "body", "public_key"}`."""

import base64
import json
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError


def asymmetric(call):
    headers = call["headers"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(call["public_key"].removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{call['body']}".encode()
    for signature in headers["webhook-signature"].split(" "):
        version, _, text = signature.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(text), signed)
                return True
            except InvalidSignature:
                pass
    return False


def answer(command, rest):
    if command == "now":
        return int(time.time())
    call = json.loads(rest)
    if "public_key" in call:
        return asymmetric(call)
    try:
        return Webhook(call["secret"]).verify(call["body"], call["headers"]) == json.loads(call["body"])
    except WebhookVerificationError:
        return False


for line in sys.stdin:
    command, _, rest = line.strip().partition(" ")
    print(json.dumps(answer(command, rest)), flush=True)
