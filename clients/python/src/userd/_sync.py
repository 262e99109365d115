"""For code with threads: the follower is one, started by the first token that is verified, and ends with the process."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from . import _permissions
from ._core import Core, OwnToken, bearer, introspection, must_be_good, read
from ._permissions import Decision
from ._settings import Settings, WhenStale
from ._token import Token
from ._user import User, user_of
from ._verify import UnknownKey
from ._view import FeedStatus
from .errors import CredentialsRefused, Refused, Unavailable
from .events import CursorStore, Event, MemoryCursor, page_of


class Userd:
    """A userd that is trusted. One for a process."""

    def __init__(
        self,
        issuer: str,
        audience: str = "userd",
        *,
        base_url: str = "",
        client_id: str = "",
        client_secret: str = "",
        when_stale: WhenStale = "refuse",
        settings: Settings | None = None,
        keys: dict[str, Any] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`settings` in place of the rest, for what is rarely changed; `keys`: a key set that is never asked for."""
        settings = settings or Settings(
            issuer, audience, base_url, client_id, client_secret, when_stale=when_stale
        )
        self.settings = settings
        self._core = Core(settings, keys)
        self._http = httpx.Client(base_url=settings.base, timeout=settings.timeout, transport=transport)
        self._keys_lock, self._own_lock, self._start_lock = threading.Lock(), threading.Lock(), threading.Lock()
        self._refreshing = threading.Lock()
        self._ready, self._stopped = threading.Event(), threading.Event()
        self._started_in, self._started_at = 0, 0.0

    def verify(self, token: str) -> Token:
        """Who calls with this token. Raises `InvalidToken` (401) or `Unavailable` (503)."""
        self.start()
        verified = self._verify_offline(token)
        if self._core.standing(verified, time.monotonic()) == "good":
            return verified
        return self._core.introspected(self._introspect(token), verified)

    def authenticate(self, authorization: str | None) -> Token:
        """The same, from an `Authorization` header."""
        return self.verify(bearer(authorization))

    def start(self, wait: float | None = None) -> None:
        """Starts the follower, and waits until the view is complete, but not for ever. The first `verify` does it."""
        if not self.settings.follows or self._stopped.is_set():
            return
        if self._started_in != os.getpid():
            with self._start_lock:
                if self._started_in != os.getpid():
                    # A fork has no threads: each process follows for itself.
                    threading.Thread(target=self._follow, name="userd-revocations", daemon=True).start()
                    self._started_in, self._started_at = os.getpid(), time.monotonic()
        if not self._ready.is_set():
            left = self._started_at + self.settings.timeout - time.monotonic()
            self._ready.wait(max(0.0, left) if wait is None else wait)

    def status(self) -> FeedStatus:
        """How old the view of revocations is, and how the feed goes."""
        return self._core.status()

    def token(self, resource: str = "") -> str:
        """An access token of this service's own account, to call userd with; with `resource` one to call another
        service with: its audience, which must be among the account's. Each is renewed before it ends."""
        own, clock = self._core.own(resource), time.monotonic()
        usable = own.usable(clock)
        if usable is not None and not (own.is_due(clock) and own.renewing.acquire(blocking=False)):
            return usable
        if usable is None:
            with self._own_lock:
                return own.usable(time.monotonic()) or self._renew(own)
        try:
            return self._renew(own)
        except (Unavailable, Refused):
            own.postpone(clock)
            return usable
        finally:
            own.renewing.release()

    def check(self, subject: str, permission: str) -> bool:
        """Whether this user may do that, as the service knows now (it needs `permissions.check`)."""
        return _permissions.one(self.call("POST", "/v1/permissions/check", {"subject": subject, "permission": permission}))

    def check_many(self, checks: Iterable[tuple[str, str]]) -> list[Decision]:
        """Several `(subject, permission)` in one call, or one for each thousand."""
        decisions = []
        for body in _permissions.questions(checks):
            decisions += _permissions.several(self.call("POST", "/v1/permissions/check", body), len(body["checks"]))
        return decisions

    def user(self, user_id: str) -> User | None:
        """An account; None where there is no such (it needs `users.read`)."""
        try:
            return user_of(self.call("GET", f"/v1/users/{quote(user_id, safe='')}"))
        except Refused as refused:
            if refused.answered == 404:
                return None
            raise

    def call(self, method: str, path: str, body: Any = None, *, idempotency_key: str = "") -> Any:
        """Any route of userd's, with the own token: the JSON that it answers. Raises `Refused` for what it will not do."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        content = {} if body is None else {"json": body}
        return read(self._call(method, path, more=headers, **content), path)

    def events(self, cursor: CursorStore | None = None, *, limit: int = 200, wait: int = 10) -> Iterator[Event]:
        """What happened, without end. The cursor is stored when a page has been worked through: an event whose
        handling failed comes again."""
        store = cursor or MemoryCursor()
        pause = 0.2
        while not self._stopped.is_set():
            try:
                events, place = self._events(store.load(), limit, wait)
                pause = 0.2
            except CredentialsRefused:
                raise
            except Unavailable:
                self._stopped.wait(pause)
                pause = min(pause * 2, 5.0)
                continue
            yield from events
            store.save(place)

    def close(self) -> None:
        """Ends the follower and the connections."""
        self._stopped.set()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- keys

    def _verify_offline(self, token: str) -> Token:
        keys, clock = self._core.keys, time.monotonic()
        if not keys.is_usable(clock):
            self._refresh_keys(must_have=True)
        elif keys.is_due(clock):
            self._refresh_beside()
        try:
            return self._core.verify(token, time.time())
        except UnknownKey:
            if not keys.may_ask(time.monotonic()):
                raise
        self._refresh_keys()
        return self._core.verify(token, time.time())

    def _refresh_beside(self) -> None:
        if not self._refreshing.acquire(blocking=False):
            return

        def refresh() -> None:
            try:
                self._refresh_keys()
            finally:
                self._refreshing.release()

        threading.Thread(target=refresh, name="userd-keys", daemon=True).start()

    def _refresh_keys(self, must_have: bool = False) -> None:
        """Asks for the keys; what is known stays when that fails."""
        with self._keys_lock:
            keys, clock = self._core.keys, time.monotonic()
            if keys.may_ask(clock):
                keys.asked_at = clock
                try:
                    self._core.took_keys(self._http.get("/.well-known/jwks.json"), clock)
                except (httpx.HTTPError, ValueError) as error:
                    self._core.keys_failed(error, clock)
            if must_have and not keys.is_usable(clock):
                raise Unavailable("the key set cannot be had")

    # --- the feed

    def _follow(self) -> None:
        while not self._stopped.is_set():
            pause = self._poll()
            if self._core.view.age(time.monotonic()) < float("inf"):
                self._ready.set()
            self._stopped.wait(pause)

    def _poll(self) -> float:
        began = time.monotonic()
        try:
            headers = {"authorization": f"Bearer {self.token()}"}
            answer = self._http.get("/v1/revocations", headers=headers, **self._core.feed_request())
        except (httpx.HTTPError, Unavailable, Refused, RuntimeError) as error:
            return self._core.feed_failed(error) if not self._stopped.is_set() else 0.0
        return self._core.took_feed(answer, time.monotonic() - began)

    # --- calls

    def _renew(self, own: OwnToken) -> str:
        if not self.settings.follows:
            raise Unavailable("client_id and client_secret are not set")
        try:
            answer = self._http.post("/oauth2/token", **self._core.token_request(own.resource))
            if own.goes_by_another_name(answer):
                answer = self._http.post("/oauth2/token", **self._core.token_request(None))
        except httpx.HTTPError as error:
            raise Unavailable("the service cannot be reached") from error
        return own.took(answer, time.monotonic())

    def _introspect(self, token: str) -> Any:
        try:
            answer = self._http.post("/oauth2/introspect", data={"token": token}, auth=self._core.basic())
        except httpx.HTTPError as error:
            raise Unavailable("the service cannot be asked about the token") from error
        return introspection(answer)

    def _events(self, after: str | None, limit: int, wait: int) -> tuple[list[Event], str]:
        query: dict[str, Any] = {"limit": limit, "wait": wait} | ({"after": after} if after else {})
        return page_of(self._call("GET", "/v1/events", params=query, timeout=wait + self.settings.timeout))

    def _call(self, method: str, path: str, more: dict[str, str] | None = None, **what: Any) -> httpx.Response:
        for is_last in (False, True):
            headers = {"authorization": f"Bearer {self.token()}"} | (more or {})
            try:
                answer = self._http.request(method, path, headers=headers, **what)
            except httpx.HTTPError as error:
                raise Unavailable("the service cannot be reached") from error
            if answer.status_code != 401 or is_last:
                break
            self._core.own().drop()
        return must_be_good(answer, path)

