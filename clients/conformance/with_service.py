"""Runs a command beside a real service: `with_service.py COMMAND…`. It finds USERD_URL, USERD_CLIENT_ID and
USERD_CLIENT_SECRET of a service account that reads revocations, and in USERD_TOKEN the token of somebody signed in.
EXAMPLE_PORT is where an application may be to which the service sends people back."""

import os
import socket
import subprocess
import sys

from service import Service


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main() -> int:
    port = free_port()
    app = f"http://127.0.0.1:{port}"
    with Service(sign_in__return_to__0=f"{app}/", http__cors_origins__0=app) as service:
        client_id, secret = service.client("revocations.read", "events.read")
        found = {
            "USERD_URL": service.url,
            "USERD_CLIENT_ID": client_id,
            "USERD_CLIENT_SECRET": secret,
            "EXAMPLE_PORT": str(port),
            "USERD_TOKEN": service.register()["access_token"],
        }
        return subprocess.run(sys.argv[1:], env=os.environ | found).returncode


if __name__ == "__main__":
    sys.exit(main())
