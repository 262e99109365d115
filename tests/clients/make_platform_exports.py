"""Exports of people of FastID, Ory Kratos, Supabase and Firebase, as these document them. Hashes are made by the library that
FastID uses (Passlib) and by Python's own functions. Every password is the one that is given.

    python make_platform_exports.py FOLDER PASSWORD
"""

import base64
import csv
import hashlib
import json
import logging
import sys
import uuid
import warnings
from pathlib import Path

import bcrypt
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

FOLDER, PASSWORD = Path(sys.argv[1]), sys.argv[2]
SECRET = PASSWORD.encode()
LINKS = {"google": "10", "yandex": "20", "telegram": "30", "vk": "40"}
# Of no project.
SIGNER_KEY, SEPARATOR = bytes(range(64)), b"\x07"


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def bare(value: bytes) -> str:
    return text(value).rstrip("=")


def bcrypt_hash(kind: bytes = b"2a") -> str:
    return bcrypt.hashpw(SECRET, bcrypt.gensalt(5, prefix=kind)).decode()


def firebase_hash(salt: bytes) -> bytes:
    key = hashlib.scrypt(SECRET, salt=salt + SEPARATOR, n=1 << 14, r=8, p=1, dklen=32, maxmem=1 << 28)
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(SIGNER_KEY)


def write_rows(name: str, rows: list[dict[str, object]]) -> None:
    with (FOLDER / name).open("w", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def fastid() -> list[str]:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from passlib.context import CryptContext

    ids = sorted(str(uuid.uuid4()) for _ in range(4))

    def row(number: int, name: str, **more: object) -> dict[str, object]:
        return {"id": ids[number], "first_name": "Ада", "last_name": name, "email": f"fastid_{name}@example.org",
                "telegram_id": "", "hashed_password": "", "is_active": "t", "is_superuser": "f", "is_verified": "t",
                "created_at": "2024-05-06 07:08:09.123", "updated_at": "2024-05-06 07:08:09.123"} | more

    argon2 = CryptContext(schemes=["argon2"], argon2__time_cost=3, argon2__memory_cost=65536, argon2__parallelism=4)
    write_rows("fastid.csv", [
        row(0, "argon2", hashed_password=argon2.hash(PASSWORD)),
        row(1, "bcrypt", hashed_password=CryptContext(schemes=["bcrypt"], bcrypt__rounds=5).hash(PASSWORD)),
        row(2, "telegram", email="", telegram_id="777"),
        row(3, "none", email=""),
    ])
    write_rows("fastid_accounts.csv", [
        {"id": uuid.uuid4(), "user_id": ids[0], "provider": provider, "account_id": "1" + subject, "email": ""}
        for provider, subject in LINKS.items()
    ])
    return ["fastid_argon2@example.org", "fastid_bcrypt@example.org"]


def kratos() -> list[str]:
    salt = b"0123456789abcdef"
    pbkdf2 = hashlib.pbkdf2_hmac("sha256", SECRET, salt, 2000, 32)
    scrypt = hashlib.scrypt(SECRET, salt=salt, n=16384, r=8, p=1, dklen=32, maxmem=1 << 28)
    made = {
        "bcrypt": bcrypt_hash(),
        "argon2id": PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD),
        "pbkdf2": f"$pbkdf2-sha256$i=2000,l=32${bare(salt)}${bare(pbkdf2)}",
        "scrypt": f"$scrypt$ln=16384,r=8,p=1${text(salt)}${text(scrypt)}",
        "firescrypt": f"$firescrypt$ln=14,r=8,p=1${text(salt)}${text(firebase_hash(salt))}${text(SEPARATOR)}${text(SIGNER_KEY)}",
        "md5": "$md5$CY9rzUYh03PK3k6DJie09g==",
    }

    def identity(name: str, credentials: dict[str, object], **more: object) -> dict[str, object]:
        email = f"kratos_{name}@example.org"
        return {"id": str(uuid.uuid4()), "schema_id": "default", "state": "active", "credentials": credentials,
                "traits": {"email": email, "name": {"first": "Grace", "last": name}},
                "verifiable_addresses": [{"value": email, "verified": True, "via": "email", "status": "completed"}],
                "created_at": "2023-02-03T04:05:06.789Z"} | more

    def password(name: str, hashed: str) -> dict[str, object]:
        return {"type": "password", "identifiers": [f"kratos_{name}@example.org", f"kratos_{name}"],
                "config": {"hashed_password": hashed}}

    people = [identity(name, {"password": password(name, hashed)}) for name, hashed in made.items()]
    oidc = {"type": "oidc", "identifiers": [f"{name}:2{subject}" for name, subject in LINKS.items()], "config": {
        "providers": [{"provider": name, "subject": f"2{subject}", "initial_id_token": ""} for name, subject in LINKS.items()]}}
    people[0]["credentials"]["oidc"] = oidc
    people.append(identity("yandex", {"oidc": {"type": "oidc", "identifiers": ["yandex:2777"]}}))
    people.append(identity("unasked", {"password": {"type": "password", "identifiers": ["kratos_unasked@example.org"]}}))
    people.append(identity("inactive", {"password": password("inactive", made["bcrypt"])}, state="inactive"))
    (FOLDER / "kratos.json").write_text(json.dumps(people))
    return [f"kratos_{name}@example.org" for name in list(made)[:5]]


def supabase() -> list[str]:
    ids = sorted(str(uuid.uuid4()) for _ in range(7))

    def row(number: int, name: str, **more: object) -> dict[str, object]:
        return {"id": ids[number], "aud": "authenticated", "email": f"supabase_{name}@example.org",
                "encrypted_password": "", "email_confirmed_at": "2022-03-04 05:06:07.89+00", "phone": "", "banned_until": "",
                "raw_user_meta_data": json.dumps({"full_name": "Лиза " + name}), "created_at": "2022-03-04 05:06:07.89+00",
                "deleted_at": "", "is_anonymous": "f", "is_sso_user": "f"} | more

    salt = b"another salt"
    firebase = f"$fbscrypt$v=1,n=14,r=8,p=1,ss={text(SEPARATOR)},sk={text(SIGNER_KEY)}${text(salt)}${text(firebase_hash(salt))}"
    users = [
        row(0, "bcrypt", encrypted_password=bcrypt_hash(), phone="79991234567"),
        row(1, "unconfirmed", encrypted_password=bcrypt_hash(), email_confirmed_at=""),
        row(2, "firebase", encrypted_password=firebase),
        row(3, "banned", encrypted_password=bcrypt_hash(), banned_until="2124-01-01 00:00:00+00"),
        row(4, "deleted", deleted_at="2024-01-01 00:00:00+00"),
        row(5, "anonymous", email="", is_anonymous="t"),
        row(6, "sso", is_sso_user="t"),
    ]
    identities = [{"provider_id": ids[0], "user_id": ids[0], "identity_data": json.dumps({"sub": ids[0]}), "provider": "email",
                   "id": str(uuid.uuid4())}]
    for name, subject in LINKS.items():
        provider = name if name == "google" else f"custom:{name}"
        identities.append({"provider_id": "3" + subject, "user_id": ids[0], "identity_data": json.dumps({"sub": "3" + subject}),
                           "provider": provider, "id": str(uuid.uuid4())})
    write_rows("supabase.csv", users)
    write_rows("supabase_identities.csv", identities)
    nested = [{key: value or None for key, value in user.items()} for user in users]
    for user in nested:
        user["raw_user_meta_data"] = json.loads(user["raw_user_meta_data"])
        user["identities"] = [one for one in identities if one["user_id"] == user["id"]]
    (FOLDER / "supabase.json").write_text(json.dumps(nested))
    return [f"supabase_{name}@example.org" for name in ("bcrypt", "unconfirmed", "firebase")]


def firebase() -> list[str]:
    salt = b"salt of one"

    def user(name: str, **more: object) -> dict[str, object]:
        return {"localId": f"uid-{name}", "email": f"firebase_{name}@example.org", "emailVerified": True,
                "displayName": "Alan " + name, "createdAt": "1600000000000", "lastSignedInAt": "1700000000000",
                "providerUserInfo": []} | more

    hashed = {"passwordHash": text(firebase_hash(salt)), "salt": text(salt)}
    links = [{"providerId": "google.com" if name == "google" else f"oidc.{name}", "rawId": "4" + subject}
             for name, subject in LINKS.items()]
    users = [user("scrypt", **hashed, providerUserInfo=[*links, {"providerId": "facebook.com", "rawId": "1"}]),
             user("disabled", **hashed, disabled=True), user("google")]
    (FOLDER / "firebase.json").write_text(json.dumps({"users": users}, indent=2))
    (FOLDER / "firebase_hash_config.txt").write_text(
        "hash_config {\n  algorithm: SCRYPT,\n"
        f"  base64_signer_key: {text(SIGNER_KEY)},\n  base64_salt_separator: {text(SEPARATOR)},\n"
        "  rounds: 8,\n  mem_cost: 14,\n}\n")
    return ["firebase_scrypt@example.org"]


if __name__ == "__main__":
    print(json.dumps({"people": [*fastid(), *kratos(), *supabase(), *firebase()]}))
