"""For asyncio: the follower is a task, started by the first token that is verified. One `AsyncUserd` for a loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
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


class AsyncUserd:
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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`settings` in place of the rest, for what is rarely changed; `keys`: a key set that is never asked for."""
        settings = settings or Settings(
            issuer, audience, base_url, client_id, client_secret, when_stale=when_stale
        )
        self.settings = settings
        self._core = Core(settings, keys)
        self._http = httpx.AsyncClient(base_url=settings.base, timeout=settings.timeout, transport=transport)
        self._keys_lock, self._own_lock = asyncio.Lock(), asyncio.Lock()
        self._ready = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._beside: set[asyncio.Task[None]] = set()

    async def verify(self, token: str) -> Token:
        """Who calls with this token. Raises `InvalidToken` (401) or `Unavailable` (503)."""
        await self.start()
        verified = await self._verify_offline(token)
        if self._core.standing(verified, time.monotonic()) == "good":
            return verified
        return self._core.introspected(await self._introspect(token), verified)

    async def authenticate(self, authorization: str | None) -> Token:
        """The same, from an `Authorization` header."""
        return await self.verify(bearer(authorization))

    async def start(self, wait: float | None = None) -> None:
        """Starts the follower, and waits until the view is complete, but not for ever. The first `verify` does it."""
        if not self.settings.follows:
            return
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow(), name="userd-revocations")
            self._started_at = time.monotonic()
        if not self._ready.is_set():
            left = self._started_at + self.settings.timeout - time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), max(0.0, left) if wait is None else wait)

    def status(self) -> FeedStatus:
        """How old the view of revocations is, and how the feed goes."""
        return self._core.status()

    async def token(self, resource: str = "") -> str:
        """An access token of this service's own account, to call userd with; with `resource` one to call another
        service with: its audience, which must be among the account's. Each is renewed before it ends."""
        own, clock = self._core.own(resource), time.monotonic()
        usable = own.usable(clock)
        if usable is None:
            async with self._own_lock:
                return own.usable(time.monotonic()) or await self._renew(own)
        if own.is_due(clock):
            own.postpone(clock)
            self._do_beside(self._renew_quietly(own))
        return usable

    async def check(self, subject: str, permission: str) -> bool:
        """Whether this user may do that, as the service knows now (it needs `permissions.check`)."""
        return _permissions.one(
            await self.call("POST", "/v1/permissions/check", {"subject": subject, "permission": permission})
        )

    async def check_many(self, checks: Iterable[tuple[str, str]]) -> list[Decision]:
        """Several `(subject, permission)` in one call, or one for each thousand."""
        decisions = []
        for body in _permissions.questions(checks):
            decisions += _permissions.several(await self.call("POST", "/v1/permissions/check", body), len(body["checks"]))
        return decisions

    async def user(self, user_id: str) -> User | None:
        """An account; None where there is no such (it needs `users.read`)."""
        try:
            return user_of(await self.call("GET", f"/v1/users/{quote(user_id, safe='')}"))
        except Refused as refused:
            if refused.answered == 404:
                return None
            raise

    async def call(self, method: str, path: str, body: Any = None, *, idempotency_key: str = "") -> Any:
        """Any route of userd's, with the own token: the JSON that it answers. Raises `Refused` for what it will not do."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        content = {} if body is None else {"json": body}
        return read(await self._call(method, path, more=headers, **content), path)

    async def events(
        self, cursor: CursorStore | None = None, *, limit: int = 200, wait: int = 10
    ) -> AsyncIterator[Event]:
        """What happened, without end. The cursor is stored when a page has been worked through: an event whose
        handling failed comes again."""
        store = cursor or MemoryCursor()
        pause = 0.2
        while True:
            try:
                events, place = await self._events(store.load(), limit, wait)
                pause = 0.2
            except CredentialsRefused:
                raise
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            for event in events:
                yield event
            store.save(place)

    async def close(self) -> None:
        """Ends the follower and the connections."""
        tasks = [*self._beside, *([self._follower] if self._follower else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _do_beside(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    # --- keys

    async def _verify_offline(self, token: str) -> Token:
        keys, clock = self._core.keys, time.monotonic()
        if not keys.is_usable(clock):
            await self._refresh_keys(must_have=True)
        elif keys.is_due(clock):
            self._do_beside(self._refresh_keys())
        try:
            return self._core.verify(token, time.time())
        except UnknownKey:
            if not keys.may_ask(time.monotonic()):
                raise
        await self._refresh_keys()
        return self._core.verify(token, time.time())

    async def _refresh_keys(self, must_have: bool = False) -> None:
        """Asks for the keys; what is known stays when that fails."""
        async with self._keys_lock:
            keys, clock = self._core.keys, time.monotonic()
            if keys.may_ask(clock):
                keys.asked_at = clock
                try:
                    self._core.took_keys(await self._http.get("/.well-known/jwks.json"), clock)
                except (httpx.HTTPError, ValueError) as error:
                    self._core.keys_failed(error, clock)
            if must_have and not keys.is_usable(clock):
                raise Unavailable("the key set cannot be had")

    # --- the feed

    async def _follow(self) -> None:
        while True:
            pause = await self._poll()
            if self._core.view.age(time.monotonic()) < float("inf"):
                self._ready.set()
            await asyncio.sleep(pause)

    async def _poll(self) -> float:
        began = time.monotonic()
        try:
            headers = {"authorization": f"Bearer {await self.token()}"}
            answer = await self._http.get("/v1/revocations", headers=headers, **self._core.feed_request())
        except (httpx.HTTPError, Unavailable, Refused) as error:
            return self._core.feed_failed(error)
        return self._core.took_feed(answer, time.monotonic() - began)

    # --- calls

    async def _renew(self, own: OwnToken) -> str:
        if not self.settings.follows:
            raise Unavailable("client_id and client_secret are not set")
        try:
            answer = await self._http.post("/oauth2/token", **self._core.token_request(own.resource))
            if own.goes_by_another_name(answer):
                answer = await self._http.post("/oauth2/token", **self._core.token_request(None))
        except httpx.HTTPError as error:
            raise Unavailable("the service cannot be reached") from error
        return own.took(answer, time.monotonic())

    async def _renew_quietly(self, own: OwnToken) -> None:
        with suppress(Unavailable, Refused):
            await self._renew(own)

    async def _introspect(self, token: str) -> Any:
        try:
            answer = await self._http.post("/oauth2/introspect", data={"token": token}, auth=self._core.basic())
        except httpx.HTTPError as error:
            raise Unavailable("the service cannot be asked about the token") from error
        return introspection(answer)

    async def _events(self, after: str | None, limit: int, wait: int) -> tuple[list[Event], str]:
        query: dict[str, Any] = {"limit": limit, "wait": wait} | ({"after": after} if after else {})
        return page_of(await self._call("GET", "/v1/events", params=query, timeout=wait + self.settings.timeout))

    async def _call(self, method: str, path: str, more: dict[str, str] | None = None, **what: Any) -> httpx.Response:
        for is_last in (False, True):
            headers = {"authorization": f"Bearer {await self.token()}"} | (more or {})
            try:
                answer = await self._http.request(method, path, headers=headers, **what)
            except httpx.HTTPError as error:
                raise Unavailable("the service cannot be reached") from error
            if answer.status_code != 401 or is_last:
                break
            self._core.own().drop()
        return must_be_good(answer, path)
