"""Checks proofs of the audit log from the specifications alone: C2SP tlog-proof, tlog-checkpoint and signed-note, RFC 6962.
Answers each line of standard input with a line of JSON: `inclusion {"proof", "verifier"}`, `consistency {"old", "new",
"hashes", "verifier"}` or `cosignature {"note", "witness"}` (C2SP tlog-cosignature). By hand: `verify_audit.py VERIFIER FILE.tlog-proof`."""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(data):
    return hashlib.sha256(data).digest()


def checkpoint(note, verifier):
    """The size and the root, if the note is signed by the key."""
    name, key_id, key = verifier.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1 and sha(name.encode() + b"\n" + key)[:4].hex() == key_id
    text, signatures = note.split("\n\n", 1)
    for line in signatures.splitlines():
        dash, signer, signed = line.split(" ")
        signed = base64.b64decode(signed)
        if dash == "\u2014" and signer == name and signed[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signed[4:], (text + "\n").encode())
            origin, size, root = text.split("\n")
            assert origin == name
            return int(size), base64.b64decode(root)
    raise AssertionError("not signed by this key")


def path(index, size):
    """For each level from the leaf on: whether the sibling is on the left. RFC 6962, recursively."""
    if size == 1:
        return []
    split = 1 << (size - 1).bit_length() - 1
    return path(index, split) + [False] if index < split else path(index - split, size - split) + [True]


def inclusion(proof, verifier):
    head, note = proof.split("\n\n", 1)
    magic, extra, index, *hashes = head.split("\n")
    assert magic == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index ")
    size, root = checkpoint(note, verifier)
    entry, index = base64.b64decode(extra[6:]), int(index[6:])
    sides = path(index, size)
    assert index < size and len(sides) == len(hashes)
    node = sha(b"\0" + entry)
    for left, sibling in zip(sides, map(base64.b64decode, hashes)):
        node = sha(b"\1" + sibling + node) if left else sha(b"\1" + node + sibling)
    assert node == root
    return json.loads(entry)


def rebuild(old, size, whole, hashes, old_root):
    """The roots of the old and the new tree that a consistency proof leads to: SUBPROOF of RFC 6962, backwards."""
    if old == size:
        return (old_root, old_root) if whole else (hashes[-1], hashes.pop())
    split, last = 1 << (size - 1).bit_length() - 1, hashes.pop()
    if old <= split:
        before, now = rebuild(old, split, whole, hashes, old_root)
        return before, sha(b"\1" + now + last)
    before, now = rebuild(old - split, size - split, False, hashes, old_root)
    return sha(b"\1" + last + before), sha(b"\1" + last + now)


def consistency(old, new, hashes, verifier):
    (old_size, old_root), (size, root) = checkpoint(old, verifier), checkpoint(new, verifier)
    hashes = [base64.b64decode(line) for line in hashes]
    assert rebuild(old_size, size, True, hashes, old_root) == (old_root, root) and not hashes
    return True


def cosignature(note, witness):
    """When the witness saw the checkpoint, in seconds since 1970."""
    name, key_id, key = witness.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 4 and sha(name.encode() + b"\n" + key)[:4].hex() == key_id
    text, signatures = note.split("\n\n", 1)
    for line in signatures.splitlines():
        dash, signer, signed = line.split(" ")
        signed = base64.b64decode(signed)
        if dash == "\u2014" and signer == name and signed[:4].hex() == key_id:
            at = int.from_bytes(signed[4:12], "big")
            message = f"cosignature/v1\ntime {at}\n{text}\n".encode()
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signed[12:], message)
            return at
    raise AssertionError("not cosigned by this witness")


def answer(command, call):
    try:
        return {"inclusion": inclusion, "consistency": consistency, "cosignature": cosignature}[command](**call)
    except (AssertionError, InvalidSignature, ValueError, IndexError):
        return False


if len(sys.argv) == 3:
    print(json.dumps(inclusion(open(sys.argv[2], encoding="utf-8").read(), sys.argv[1]), indent=2))
else:
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        print(json.dumps(answer(command, json.loads(rest))), flush=True)
