"""Exports of other software with people in them, made by that software: Django's dumpdata, Passlib's hashes, those of
fastapi-users (pwdlib), and a realm as Keycloak documents it. Every password is `correct horse, пароль`.

    python make_exports.py FOLDER      writes django.json, django.jsonl, passlib.csv, fastapi_users.csv, keycloak.json
"""

import base64
import csv
import hashlib
import json
import os
import sys
import uuid
import warnings
from pathlib import Path

PASSWORD = "correct horse, пароль"
FOLDER = Path(sys.argv[1])


def django_people() -> list[str]:
    import django
    from django.conf import settings

    hashers = ["PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher"]
    hashers += ["BCryptPasswordHasher", "ScryptPasswordHasher"]
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in hashers],
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hashers, make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    people = []
    quick = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 2_000)
    for hasher in get_hashers():
        name = "django_" + hasher.algorithm
        people.append(f"{name}@example.org")
        # bcrypt with its usual cost is slow where nothing is optimised.
        cheap = type(hasher)()
        if hasattr(cheap, "rounds"):
            cheap.rounds = 5
        if hasattr(cheap, "iterations"):
            cheap.iterations = 2_000
        User.objects.create(username=name, email=people[-1], first_name="Ада", last_name=name,
                            password=cheap.encode(PASSWORD, cheap.salt()))
    User.objects.create(username="django_nobody", email="django_nobody@example.org", password=make_password(None))
    User.objects.create(username="mail@as.example.org", password=quick)
    User.objects.create(username="django_blocked", email="django_blocked@example.org", is_active=False,
                        password=quick)
    User.objects.create(username="не имя!", email="", password=quick)
    for kind, end in (("json", "json"), ("jsonl", "jsonl")):
        with (FOLDER / f"django.{end}").open("w") as out:
            call_command("dumpdata", "auth.user", format=kind, stdout=out)
    return people


def passlib_people() -> list[str]:
    # Its look at the version of bcrypt's library finds none and says so.
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    from passlib import hash as kinds

    made = {
        "bcrypt": kinds.bcrypt.using(rounds=5), "bcrypt_sha256": kinds.bcrypt_sha256.using(rounds=5),
        "pbkdf2_sha1": kinds.pbkdf2_sha1.using(rounds=2000), "pbkdf2_sha256": kinds.pbkdf2_sha256.using(rounds=2000),
        "pbkdf2_sha512": kinds.pbkdf2_sha512.using(rounds=2000),
        "scrypt": kinds.scrypt.using(rounds=14), "argon2": kinds.argon2,
    }
    with (FOLDER / "passlib.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "email", "email_verified", "username", "password_hash", "created_at", "identity.corp"])
        for number, (name, kind) in enumerate(made.items(), 1):
            hashed = kind.hash(PASSWORD)
            rows.writerow([number, f"passlib_{name}@example.org", "true", f"passlib_{name}", hashed,
                           "2019-05-06T07:08:09Z", f"subject-{number}"])
        rows.writerow([100, "md5@example.org", "true", "", "$1$abcdefgh$G9iNJUCjHB/hNuI3H5UtB0", "", ""])
        rows.writerow([101, "no address", "true", "", "", "", ""])
    return [f"passlib_{name}@example.org" for name in made]


def fastapi_people() -> list[str]:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher
    from pwdlib.hashers.bcrypt import BcryptHasher

    made = {"argon2": PasswordHash((Argon2Hasher(),)), "bcrypt": PasswordHash((BcryptHasher(rounds=5),))}
    with (FOLDER / "fastapi_users.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "email", "hashed_password", "is_active", "is_superuser", "is_verified"])
        for name, hasher in made.items():
            rows.writerow([uuid.uuid4(), f"fastapi_{name}@example.org", hasher.hash(PASSWORD), "t", "f", "t"])
    return [f"fastapi_{name}@example.org" for name in made]


def keycloak_people() -> list[str]:
    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    def credential(algorithm: str, iterations: int, value: bytes, salt: bytes, more: dict[str, list[str]]) -> object:
        data = {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": more}
        return {"id": str(uuid.uuid4()), "type": "password", "createdDate": 1700000000000,
                "secretData": json.dumps({"value": text(value), "salt": text(salt), "additionalParameters": {}}),
                "credentialData": json.dumps(data)}

    from argon2.low_level import Type, hash_secret_raw

    people, users = [], []
    salt = os.urandom(16)
    secret = PASSWORD.encode()
    made = {
        "pbkdf2-sha256": credential("pbkdf2-sha256", 27500, hashlib.pbkdf2_hmac("sha256", secret, salt, 27500, 64), salt, {}),
        "pbkdf2-sha512": credential("pbkdf2-sha512", 30000, hashlib.pbkdf2_hmac("sha512", secret, salt, 30000, 64), salt, {}),
        "argon2": credential(
            "argon2", 5, hash_secret_raw(secret, salt, 5, 7168, 1, 32, Type.ID), salt,
            {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}),
    }
    for name, one in made.items():
        people.append(f"keycloak_{name}@example.org")
        users.append({
            "id": str(uuid.uuid4()), "createdTimestamp": 1600000000000, "username": people[-1], "enabled": True,
            "emailVerified": True, "firstName": "Grace", "lastName": name, "email": people[-1],
            "attributes": {"locale": ["ru"]}, "credentials": [one], "realmRoles": ["default-roles-demo"],
            "federatedIdentities": [{"identityProvider": "company", "userId": f"kc-{name}", "userName": name}],
        })
    users.append({"id": str(uuid.uuid4()), "username": "service-account-x", "enabled": True, "serviceAccountClientId": "x"})
    realm = {"id": "demo", "realm": "demo", "roles": {"realm": [{"name": "users"}]}, "users": users, "clients": [{}]}
    (FOLDER / "keycloak.json").write_text(json.dumps(realm, indent=1))
    return people


if __name__ == "__main__":
    people = {"django": django_people(), "passlib": passlib_people(), "fastapi-users": fastapi_people(),
              "keycloak": keycloak_people()}
    print(json.dumps({"password": PASSWORD, "people": people}))
