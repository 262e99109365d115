"""A scripted service: answers as userd does, and as badly as a scenario wants."""

import itertools
import json
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from mint import key, token

CLIENT_ID, SECRET = "conformance", "s3cret+/="


class Fake:
    """Its state, changed by the steps of a scenario; methods named `set_…` are steps."""

    def __init__(self) -> None:
        self.state = threading.Condition()
        self.requests: Counter[str] = Counter()
        self.keys = ["ed1", "es1", "rs1"]
        self.max_age = 300
        self.hold = True
        self.feed: list[dict[str, Any]] = []
        self.generation = 1
        self.modes: dict[str, str] = {}
        self.token_lifetime = 600
        # Whom the account's tokens may be for, the default first, and the audience of the service itself.
        self.audiences = ["userd"]
        self.itself = "userd"
        self.own_tokens: set[str] = set()
        self.tokens_for_others: dict[str, str] = {}
        self.active: dict[str, dict[str, Any]] = {}
        self.events = [f"e{number}" for number in range(7)]
        self._counter = itertools.count()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.change("modes", {"*": "cut"})
        self._server.shutdown()
        self._server.server_close()

    def change(self, what: str, value: Any) -> None:
        with self.state:
            setattr(self, what, value)
            self.state.notify_all()

    def revoke(self, entry: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        times = {"recorded_at": now.isoformat(), "expires_at": (now + timedelta(minutes=12)).isoformat()}
        with self.state:
            self.feed.append({"id": str(uuid.uuid4())} | times | entry)
            self.state.notify_all()

    def forget_own_tokens(self) -> None:
        with self.state:
            self.own_tokens.clear()

    def another_feed(self) -> None:
        """A backup was restored."""
        with self.state:
            self.generation += 1
            self.feed = []
            self.state.notify_all()

    # --- answers: a status, a body, headers

    def jwks(self) -> Any:
        keys = [key(name).jwk for name in self.keys]
        # Kinds that nobody knows yet, and a key that is not for signatures.
        keys += [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AA"}, key("ed-enc").jwk | {"use": "enc"}]
        return 200, {"keys": keys}, {"cache-control": f"public, max-age={self.max_age}"}

    def own_token(self, resource: str | None) -> Any:
        audience = resource or self.audiences[0]
        if audience not in self.audiences:
            return 400, {"error": "invalid_target", "error_description": "No tokens are issued for this resource"}, {}
        made = f"own-{next(self._counter)}"
        with self.state:
            if audience == self.itself:
                self.own_tokens.add(made)
            else:
                self.tokens_for_others[made] = audience
        return 200, {"access_token": made, "token_type": "Bearer", "expires_in": self.token_lifetime}, {}

    def introspect(self, shown: str) -> Any:
        return 200, self.active.get(shown, {"active": False}), {}

    def revocations(self, query: dict[str, str]) -> Any:
        end = time.monotonic() + int(query.get("wait", "0"))
        with self.state:
            while True:
                generation, _, place = query.get("after", f"{self.generation}-0").partition("-")
                if int(generation) != self.generation:
                    return 410, {"type": "/problems/cursor_expired"}, {}
                limit = int(query["limit"])
                found = self.feed[int(place) : int(place) + limit]
                left = end - time.monotonic()
                if found or left <= 0 or not self.hold or self.mode("/v1/revocations") in ("cut", "silent"):
                    break
                self.state.wait(left)
            reached = int(place) + len(found)
            next_cursor = f"{self.generation}-{reached}" if self.feed else query.get("after")
            is_behind = self.modes.get("/v1/revocations") == "behind"
            more = is_behind or reached < len(self.feed)
            return 200, {"items": found, "next_cursor": next_cursor, "has_more": more}, {}

    def event_page(self, query: dict[str, str]) -> Any:
        place = query.get("after", "0")
        if place == "gone":
            return 410, {"type": "/problems/cursor_expired"}, {}
        ids = self.events[int(place) : int(place) + min(int(query["limit"]), 3)]
        common = {"specversion": "1.0", "type": "user.changed", "subject": "u", "time": "2026-01-01T00:00:00Z", "data": {}}
        if not ids:
            time.sleep(0.05)
        return 200, {"items": [common | {"id": one} for one in ids], "next": str(int(place) + len(ids))}, {}

    def check(self, body: Any) -> Any:
        def may(one: Any) -> bool:
            return bool(one["permission"] == "orders.read")

        if "checks" in body and not 1 <= len(body["checks"]) <= 1_000:
            return 422, {"type": "/problems/invalid_fields"}, {}
        if "checks" in body:
            results = [{"allowed": may(one), "reason": "role" if may(one) else "not granted"} for one in body["checks"]]
            return 200, {"results": results}, {}
        return 200, {"allowed": may(body)}, {}

    def mode(self, path: str) -> str:
        return self.modes.get(path) or self.modes.get("*", "")

    def mint(self, recipe: dict[str, Any]) -> str:
        return token(self.url, recipe)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    fake: Fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that are gone are no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

    def log_message(self, format: str, *args: Any) -> None: ...

    def _serve(self, body: bytes) -> None:
        fake, url = self.server.fake, urlsplit(self.path)
        with fake.state:
            fake.requests[url.path] += 1
        if self._misbehave(fake.mode(url.path)):
            return
        status, said, headers = self._answer(url.path, {name: one[0] for name, one in parse_qs(url.query).items()}, body)
        # What was held while the mode changed is cut too.
        if self._misbehave(fake.mode(url.path)):
            return
        self._send(status, json.dumps(said).encode(), headers)

    def _misbehave(self, mode: str) -> bool:
        if mode == "cut":
            self.close_connection = True
        elif mode == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"items\": [")
            self.close_connection = True
        elif mode == "nonsense":
            self._send(200, b"<html>maintenance</html>", {})
        elif mode == "wrong types":
            self._send(200, b'{"items": 5, "next_cursor": 7, "has_more": "no", "keys": {}, "active": "yes"}', {})
        elif mode == "failing":
            self._send(503, b"{}", {"retry-after": "0"})
        elif mode == "forbidding":
            self._send(403, b"{}", {})
        elif mode == "redirecting":
            self._send(302, b"", {"location": "http://127.0.0.1:1/elsewhere"})
        elif mode == "silent":
            with self.server.fake.state:
                self.server.fake.state.wait_for(lambda: self.server.fake.mode(urlsplit(self.path).path) != "silent", 30)
            self.close_connection = True
        else:
            return False
        return True

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> Any:
        fake = self.server.fake
        if path == "/.well-known/jwks.json":
            return fake.jwks()
        if path in ("/oauth2/token", "/oauth2/introspect"):
            form = {name: one[0] for name, one in parse_qs(body.decode()).items()}
            if not self._is_client():
                return 401, {"error": "invalid_client"}, {}
            return fake.own_token(form.get("resource")) if path == "/oauth2/token" else fake.introspect(form["token"])
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in fake.own_tokens:
            return 401, {"type": "/problems/not_signed_in"}, {}
        if path == "/v1/revocations":
            return fake.revocations(query)
        if path == "/v1/events":
            return fake.event_page(query)
        if path.startswith("/v1/users/"):
            found: dict[str, Any] = {"id": "u1", "status": "active", "username": None, "email_verified": True, "roles": ["clerk"], "new": {}}
            return (200, found, {}) if path == "/v1/users/u1" else (404, {"type": "/problems/not_found"}, {})
        return fake.check(json.loads(body))

    def _is_client(self) -> bool:
        # Both parts are form-encoded first (RFC 6749 section 2.3.1), or, as everybody does, they are not.
        forms = [f"{CLIENT_ID}:{SECRET}", f"{CLIENT_ID}:s3cret%2B%2F%3D"]
        return self.headers.get("authorization") in ["Basic " + b64encode(one.encode()).decode() for one in forms]

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
