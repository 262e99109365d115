"""This package under the conformance suite: reads a line of JSON, answers one. `agent.py sync` or `agent.py async`."""

import asyncio
import inspect
import json
import math
import sys
import time
from typing import Any

import jwt

from userd import (
    AsyncUserd,
    CursorExpired,
    InvalidToken,
    MemoryCursor,
    Settings,
    Userd,
    UserdError,
    Webhook,
)

KIND = {"sync": Userd, "async": AsyncUserd}[sys.argv[1]]


class Agent:
    userd: Any

    async def call(self, do: str, what: dict[str, Any]) -> Any:
        try:
            return await getattr(self, do)(**what)
        except InvalidToken as error:
            return {"error": error.slug, "reason": error.reason}
        except CursorExpired:
            return {"error": "cursor_expired"}
        except UserdError as error:
            return {"error": error.slug}

    async def open(self, settings: dict[str, Any]) -> Any:
        self.userd = KIND("", settings=Settings(**settings))
        return {"ok": True}

    async def close(self) -> Any:
        await self._done(self.userd.close())
        return {"ok": True}

    async def verify(self, token: str) -> Any:
        verified = await self._done(self.userd.verify(token))
        return {"subject": verified.subject}

    async def allows(self, token: str, roles: list[str], permissions: list[str]) -> Any:
        verified = await self._done(self.userd.verify(token))
        return {"role": verified.has_role(*roles), "permission": verified.has_permission(*permissions)}

    async def status(self) -> Any:
        status = self.userd.status()
        counts = {"entries": status.entries, "restarts": status.restarts, "overflows": status.overflows, "error": status.error}
        return counts | {"age": None if math.isinf(status.age) else status.age}

    async def token(self, resource: str = "") -> Any:
        return {"token": await self._done(self.userd.token(resource))}

    async def check(self, subject: str, permission: str) -> Any:
        return {"allowed": await self._done(self.userd.check(subject, permission))}

    async def check_many(self, checks: list[list[str]]) -> Any:
        decisions = await self._done(self.userd.check_many([(subject, permission) for subject, permission in checks]))
        return {"results": [{"allowed": one.allowed, "reason": one.reason} for one in decisions]}

    async def events(self, cursor: str | None, count: int) -> Any:
        store, ids = MemoryCursor(cursor), list[str]()
        events = self.userd.events(store)
        while len(ids) < count:
            event = await anext(events) if KIND is AsyncUserd else next(events)
            ids.append(event.id)
        return {"ids": ids, "cursor": store.load()}

    async def webhook(self, secrets: list[str], headers: dict[str, str], body: str, now: float) -> Any:
        return {"type": Webhook(*secrets).verify(body.encode(), headers, now).type}

    async def user(self, id: str) -> Any:
        user = await self._done(self.userd.user(id))
        return {"user": user and {"id": user.id, "status": user.status, "roles": sorted(user.roles)}}

    async def bench(self, tokens: list[str], jwk: dict[str, str], settings: dict[str, Any]) -> Any:
        key, audience, issuer = jwt.PyJWK(jwk), settings["audience"], settings["issuer"]
        began = time.perf_counter()
        for token in tokens:
            jwt.decode(token, key, algorithms=[key.algorithm_name], audience=audience, issuer=issuer)
        bare = time.perf_counter() - began
        # One that remembers none of these.
        small = KIND("", settings=Settings(**settings, max_tokens=1))
        await self._all(small, tokens[:1])
        first = await self._all(small, tokens)
        await self._done(small.close())
        await self._all(self.userd, tokens)
        remembered = await self._all(self.userd, tokens)
        return {what: all_ / len(tokens) for what, all_ in [("bare", bare), ("first", first), ("remembered", remembered)]}

    async def _all(self, userd: Any, tokens: list[str]) -> float:
        began = time.perf_counter()
        if isinstance(userd, AsyncUserd):
            for token in tokens:
                (await userd.verify(token)).require_permission("orders.read")
        else:
            for token in tokens:
                userd.verify(token).require_permission("orders.read")
        return time.perf_counter() - began

    async def _done(self, answer: Any) -> Any:
        return await answer if inspect.isawaitable(answer) else answer


async def main() -> None:
    agent = Agent()
    while line := await asyncio.to_thread(sys.stdin.readline):
        what = json.loads(line)
        print(json.dumps(await agent.call(what.pop("do"), what)), flush=True)


asyncio.run(main())
