"""What callers see through FastAPI, Starlette and Django."""

import asyncio
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from userd import AsyncUserd, Token
from userd.django import permission, role, signed_in, token_of
from userd.fastapi import Auth
from userd.starlette import UserdMiddleware
from userd.testing import FakeIssuer

ISSUER = FakeIssuer()
PLAIN = ISSUER.token()
CLERK = ISSUER.token(roles=["clerk"], permissions=["orders.read", "orders.write"])


def fastapi_app() -> Any:
    app = FastAPI()
    auth = Auth(app, ISSUER.async_userd())
    app.get("/any")(lambda: "in")
    guards: dict[str, Any] = {"me": auth, "role": auth.role("clerk", "boss"), "permission": auth.permission("orders.read")}
    for name, guard in guards.items():
        app.get(f"/{name}", dependencies=[Depends(guard)])(lambda: "in")
    return app


def starlette_app() -> Any:
    def needs(check: Any) -> Any:
        async def view(request: Request) -> PlainTextResponse:
            check(request.state.token)
            return PlainTextResponse("in")

        return view

    def role(token: Token) -> None:
        token.require_role("clerk", "boss")

    def permission(token: Token) -> None:
        token.require_permission("orders.read")

    async def anybody(_: Request) -> PlainTextResponse:
        return PlainTextResponse("in")

    routes = [
        Route("/any", anybody),
        Route("/me", needs(lambda token: None)),
        Route("/role", needs(role)),
        Route("/permission", needs(permission)),
    ]
    guard = Middleware(UserdMiddleware, userd=ISSUER.async_userd(), open_paths=["/any"])
    return Starlette(routes=routes, middleware=[guard])


@pytest.mark.parametrize("make", [fastapi_app, starlette_app])
def test_asgi_applications_answer_401_403_and_200(make: Any) -> None:
    async def calls() -> None:
        transport = httpx.ASGITransport(make())
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:

            async def ask(path: str, token: str | None) -> httpx.Response:
                return await client.get(path, headers={"authorization": f"Bearer {token}"} if token else {})

            await check(ask)

    asyncio.run(calls())


async def check(ask: Any) -> None:
    for path, token, status, challenge in [
        ("/any", None, 200, None),
        ("/me", None, 401, "Bearer"),
        ("/me", PLAIN + "x", 401, 'Bearer error="invalid_token"'),
        ("/me", PLAIN, 200, None),
        ("/role", PLAIN, 403, 'Bearer error="insufficient_scope"'),
        ("/role", CLERK, 200, None),
        ("/permission", None, 401, "Bearer"),
        ("/permission", PLAIN, 403, 'Bearer error="insufficient_scope"'),
        ("/permission", CLERK, 200, None),
    ]:
        answer = await ask(path, token)
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (status, challenge), path


def test_503_is_answered_while_nobody_can_tell() -> None:
    async def calls() -> None:
        app = FastAPI()
        auth = Auth(app, AsyncUserd("http://127.0.0.1:1"))
        app.get("/me", dependencies=[Depends(auth)])(lambda: "in")
        transport = httpx.ASGITransport(app)
        async with auth.userd, httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answer = await client.get("/me", headers={"authorization": f"Bearer {PLAIN}"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["type"] == "/problems/unavailable"

    asyncio.run(calls())


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"in" if getattr(request, "userd_token") is None else token_of(request).subject)


urlpatterns = [
    path("any", view),
    path("me", signed_in(view)),
    path("role", role("clerk", "boss")(view)),
    path("permission", permission("orders.read")(view)),
]


def test_a_django_site_answers_401_403_and_200() -> None:
    if not settings.configured:
        settings.configure()
    settings.MIDDLEWARE = ["userd.django.UserdMiddleware"]
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["*"]
    settings.USERD = ISSUER.userd()
    import django

    django.setup()
    client = httpx.Client(transport=httpx.WSGITransport(WSGIHandler()), base_url="http://app")

    async def ask(path: str, token: str | None) -> httpx.Response:
        return client.get(path, headers={"authorization": f"Bearer {token}"} if token else {})

    asyncio.run(check(ask))
