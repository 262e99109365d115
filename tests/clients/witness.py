"""A witness of the audit log, from the specifications alone: C2SP tlog-witness, tlog-cosignature and signed-note, RFC 6962.
It knows one log, by the verifier key that its first line of standard input says, keeps what it saw in memory, and says where
it is: {"url", "verifier"}. Each further line is answered by what it has seen so far: {"size", "asked", "refused"}."""

import base64
import hashlib
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "witness.example/w1"
KEY = Ed25519PrivateKey.generate()
PUBLIC = b"\x04" + KEY.public_key().public_bytes_raw()


def sha(data):
    return hashlib.sha256(data).digest()


ID = sha(NAME.encode() + b"\n" + PUBLIC)[:4]
VERIFIER = f"{NAME}+{ID.hex()}+{base64.b64encode(PUBLIC).decode()}"
STATE = {"log": None, "size": 0, "root": None, "asked": 0, "refused": 0}
LOCK = threading.Lock()


def signed_by_the_log(text, signatures):
    name, key_id, key = STATE["log"].split("+", 2)
    key = base64.b64decode(key)
    for line in signatures.splitlines():
        dash, signer, signed = line.split(" ")
        signed = base64.b64decode(signed)
        if dash == "\u2014" and signer == name and signed[:4].hex() == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signed[4:], text)
                return True
            except InvalidSignature:
                pass
    return False


def goes_on(old, old_root, size, root, proof):
    """RFC 9162 section 2.1.4.2, which says it for the trees of RFC 6962 too."""
    if old == size:
        return not proof and old_root == root
    if not proof:
        return False
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = proof[0]
    for node in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = sha(b"\1" + node + first), sha(b"\1" + node + second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = sha(b"\1" + second + node)
        fn, sn = fn >> 1, sn >> 1
    return first == old_root and second == root and sn == 0


def judge(body):
    head, _, note = body.partition("\n\n")
    text, _, signatures = note.partition("\n\n")
    first, *proof = head.split("\n")
    word, old = first.split(" ")
    origin, size, root = text.split("\n")[:3]
    old, size, root = int(old), int(size), base64.b64decode(root)
    if word != "old" or old > size or len(proof) > 63:
        return 400, ""
    if origin != STATE["log"].split("+", 1)[0]:
        return 404, ""
    if not signed_by_the_log((text + "\n").encode(), signatures):
        return 403, ""
    if old != STATE["size"] or old == size and root != STATE["root"]:
        return 409, f"{STATE['size']}\n"
    proof = [base64.b64decode(line, validate=True) for line in proof]
    if proof if old == 0 else not goes_on(old, STATE["root"], size, root, proof):
        return 422, ""
    STATE["size"], STATE["root"] = size, root
    at = int(time.time())
    signature = KEY.sign(f"cosignature/v1\ntime {at}\n{text}\n".encode())
    line = base64.b64encode(ID + at.to_bytes(8, "big") + signature).decode()
    # Somebody else's, which nobody here knows, stands before it.
    return 200, f"\u2014 another.example/w9 {base64.b64encode(bytes(76)).decode()}\n\u2014 {NAME} {line}\n"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        with LOCK:
            status, text = judge(body) if self.path == "/w/add-checkpoint" else (404, "")
            STATE["asked"] += 1
            STATE["refused"] += status != 200
        self.send_response(status)
        if status == 409:
            self.send_header("content-type", "text/x.tlog.size")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
for line in sys.stdin:
    if line.strip() and line.strip() != "?":
        with LOCK:
            STATE.update(log=line.strip(), size=0, root=None)
    seen = {name: STATE[name] for name in ("size", "asked", "refused")}
    print(json.dumps({"url": f"http://127.0.0.1:{SERVER.server_port}/w", "verifier": VERIFIER} | seen), flush=True)
