"""Runs a command beside a real service: `with_service.py COMMAND…`. It finds USERD_URL, USERD_CLIENT_ID and
USERD_CLIENT_SECRET of a service account that reads revocations, and in USERD_TOKEN the token of somebody signed in."""

import os
import subprocess
import sys

from service import Service


def main() -> int:
    with Service() as service:
        client_id, secret = service.client("revocations.read", "events.read")
        found = {
            "USERD_URL": service.url,
            "USERD_CLIENT_ID": client_id,
            "USERD_CLIENT_SECRET": secret,
            "USERD_TOKEN": service.register()["access_token"],
        }
        return subprocess.run(sys.argv[1:], env=os.environ | found).returncode


if __name__ == "__main__":
    sys.exit(main())
