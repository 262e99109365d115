"""For Starlette and any ASGI application: a middleware that asks every request for a token."""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from ._async import AsyncUserd
from .errors import ANSWERS, InvalidToken, UserdError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class UserdMiddleware:
    """Puts the verified token into `request.state.token`. Without a good one the answer is 401, or 503."""

    def __init__(
        self, app: App, userd: AsyncUserd, *, optional: bool = False, open_paths: Collection[str] = ()
    ) -> None:
        """`optional`: who shows no token comes through with `None`; `open_paths`: paths that ask for none."""
        self._app, self._userd, self._optional, self._open = app, userd, optional, frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in self._open:
            return await self._app(scope, receive, send)
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        try:
            token = await self._userd.authenticate(shown.decode("latin-1"))
        except UserdError as error:
            if not (self._optional and isinstance(error, InvalidToken) and error.reason == "missing"):
                return await refuse(scope, send, error)
            token = None
        scope.setdefault("state", {})["token"] = token
        has_begun = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ANSWERS as error:
            # A guard within.
            if has_begun:
                raise
            await refuse(scope, send, error)


async def refuse(scope: Scope, send: Send, error: UserdError) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})
    status, headers, body = answer(error)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def answer(error: UserdError) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and problem (RFC 9457) of a refusal, for any framework. It does not say why a token is bad."""
    headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
    if isinstance(error, InvalidToken):
        headers["www-authenticate"] = error.challenge
    elif error.status == 403:
        headers["www-authenticate"] = 'Bearer error="insufficient_scope"'
    elif error.status == 503:
        headers["retry-after"] = "1"
    body = json.dumps({"type": f"/problems/{error.slug}", "title": error.slug, "status": error.status})
    return error.status, headers, body.encode()
