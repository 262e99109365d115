"""The real userd, started for a test on a free port and a folder of its own, and what is done to it."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long sentence for tests 7"
ADMIN = "admin@example.org"


def binary() -> Path:
    path = Path(os.environ.get("USERD_BINARY") or ROOT / "target/debug/userd")
    if not path.exists():
        raise SystemExit(f"there is no userd at {path}: build it, or name it in USERD_BINARY")
    return path


class Service:
    """One process of userd; `with Service() as service`."""

    def __init__(self, **settings: str) -> None:
        """`settings`: keys of the configuration, with `__` for each dot."""
        self._settings = [word for key, value in settings.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]
        self._binary = str(binary())
        self._folder = tempfile.TemporaryDirectory(prefix="userd-clients-")
        self._log = Path(self._folder.name, "log")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self._admin = ""

    def __enter__(self) -> Self:
        self.start()
        self.command("users", "create-admin", "--email", ADMIN, "--password-stdin", line=PASSWORD)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Starts it; once more after a stop, at the same address."""
        listen = self.url.removeprefix("http://") or "127.0.0.1:0"
        usual = ["--set", "log.format=json", "--set", "rate_limits.enabled=false"]
        arguments = [self._binary, "--listen", listen, *usual, *self._settings]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(arguments, cwd=self._folder.name, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            found = re.search(r'"message":"listening".*?"url":"([^"]+)"', self._log.read_text())
            if found:
                self.url = found[1]
                return
            time.sleep(0.02)
        raise SystemExit(f"userd does not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def command(self, *arguments: str, line: str | None = None) -> Any:
        """The answer of a command of userd's."""
        shown = None if line is None else f"{line}\n"
        told = subprocess.run(
            [self._binary, *self._settings, "--json", *arguments],
            cwd=self._folder.name,
            input=shown,
            capture_output=True,
            text=True,
        )
        if told.returncode:
            raise SystemExit(f"userd {' '.join(arguments)}: {told.stderr}")
        return json.loads(told.stdout) if told.stdout.strip() else None

    def client(self, *permissions: str, audiences: tuple[str, ...] = ()) -> tuple[str, str]:
        """A new service account: its id and its secret."""
        wanted = [word for permission in permissions for word in ("--permission", permission)]
        wanted += [word for audience in audiences for word in ("--audience", audience)]
        made = self.command("clients", "create", "conformance", *wanted)
        return made["client"]["id"], made["client_secret"]

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def form(self, path: str, fields: dict[str, str]) -> Any:
        content = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(self.url + path, content, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def register(self) -> Any:
        """A new user's tokens."""
        email = f"{uuid.uuid4().hex}@example.org"
        return self.call("POST", "/v1/auth/register", {"email": email, "password": PASSWORD})["tokens"]

    def login(self, login: str) -> Any:
        return self.call("POST", "/v1/auth/login", {"login": login, "password": PASSWORD})

    @property
    def admin(self) -> str:
        if not self._admin:
            self._admin = self.login(ADMIN)["access_token"]
        return self._admin

    def as_admin(self, method: str, path: str, body: Any = None) -> Any:
        return self.call(method, path, body, self.admin)

    def forget_admin(self) -> None:
        """The administrator's token is dead."""
        self._admin = ""

    def revoke_active_key(self) -> None:
        keys = self.as_admin("GET", "/v1/signing-keys")["items"]
        active = next(key["kid"] for key in keys if key["state"] == "active")
        self.as_admin("POST", f"/v1/signing-keys/{active}/revoke")
        self.forget_admin()
