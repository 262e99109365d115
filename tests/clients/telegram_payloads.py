"""Telegram payloads that aiogram, a library of others, takes for genuine.

    python telegram_payloads.py <bot_token> <ed25519 seed, hex>

Reads one JSON array from the standard input, [{"kind": "widget" | "init_data", "fields": {…}}, …], and prints a JSON
array: for a widget its fields with `hash`; for init data the query string with `signature` (by the key of the seed, in
Telegram's place) and `hash`. aiogram can only check, so what is signed here is printed only after it has agreed.
"""

import base64
import hashlib
import hmac
import importlib.util
import json
import sys
import types
from pathlib import Path
from urllib.parse import urlencode

# aiogram's checks as they are, without its package's `__init__`: that builds some seven hundred types of the Bot API,
# which takes seconds and which no check uses.
home = Path(importlib.util.find_spec("aiogram").origin).parent
for name, folder in {"aiogram": home, "aiogram.utils": home / "utils"}.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(folder)]
sys.modules["aiogram.types"] = types.ModuleType("aiogram.types")
sys.modules["aiogram.types"].TelegramObject = object

from aiogram.utils.auth_widget import check_integrity  # noqa: E402
from aiogram.utils.web_app import check_webapp_signature  # noqa: E402
from aiogram.utils.web_app_signature import check_webapp_signature as check_by_public_key  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402


def mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def lines(fields: dict[str, str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields))


def widget(token: str, fields: dict[str, str]) -> dict[str, str]:
    signed = {**fields, "hash": mac(hashlib.sha256(token.encode()).digest(), lines(fields))}
    assert check_integrity(token, signed), "aiogram refuses the widget's fields"
    return signed


def init_data(token: str, seed: bytes, fields: dict[str, str]) -> str:
    bot_id = int(token.split(":")[0])
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = base64.urlsafe_b64encode(key.sign(f"{bot_id}:WebAppData\n{lines(fields)}".encode())).decode().rstrip("=")
    fields = {**fields, "signature": signature}
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    text = urlencode({**fields, "hash": mac(secret, lines(fields))})
    assert check_webapp_signature(token, text), "aiogram refuses the hash"
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert check_by_public_key(bot_id, text, public), "aiogram refuses the signature"
    return text


def main() -> None:
    token, seed = sys.argv[1], bytes.fromhex(sys.argv[2])
    sign = {"widget": lambda f: widget(token, f), "init_data": lambda f: init_data(token, seed, f)}
    print(json.dumps([sign[wish["kind"]](wish["fields"]) for wish in json.load(sys.stdin)]))


main()
