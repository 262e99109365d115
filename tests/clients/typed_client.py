"""A typed client of the API document, made by openapi-python-client: typed_client.py <document> <folder>.

Every module of it is imported, and it reads a user as the API writes one. Answers with what is complained about, as one
line of JSON.
"""
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

document, folder = sys.argv[1:]
programs = Path(sys.executable).parent
made = subprocess.run(
    [programs / "openapi-python-client", "generate", "--path", document, "--output-path", Path(folder) / "client",
     "--meta", "none", "--fail-on-warning"],
    capture_output=True, text=True, env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
)
complaints = [] if made.returncode == 0 else [made.stdout + made.stderr]
if not complaints:
    sys.path.insert(0, folder)
    client = importlib.import_module("client")
    for module in pkgutil.walk_packages(client.__path__, "client."):
        importlib.import_module(module.name)
    models = importlib.import_module("client.models")
    user = {
        "id": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "username": None, "email": "anna@example.org", "email_verified": True,
        "phone": None, "display_name": None, "locale": None, "time_zone": None, "attributes": {"theme": "dark"},
        "status": "active", "roles": [], "created_at": "2026-11-29T10:00:00Z", "updated_at": "2026-11-29T10:00:00Z",
        "last_sign_in_at": None, "blocked_until": None, "block_reason": None, "version": 1,
    }
    read = models.User.from_dict(dict(user))
    if read.username is not None or read.status.value != "active":
        complaints.append(f"read as {read}")
print(json.dumps({"complaints": complaints}))
