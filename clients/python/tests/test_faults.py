"""What whoever runs a service learns when userd refuses something, or cannot be asked."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from userd import AsyncUserd, CredentialsRefused, InvalidToken, Refused, Settings, Unavailable, Userd
from userd.fastapi import Auth
from userd.starlette import UserdMiddleware
from userd.testing import FakeIssuer

Answers = dict[str, Callable[[], httpx.Response]]
ISSUER = FakeIssuer()
FIELD = {"pointer": "/email", "detail": "is not an address"}


def own() -> httpx.Response:
    return httpx.Response(200, json={"access_token": "own", "expires_in": 600})


def wrong_secret() -> httpx.Response:
    return httpx.Response(401, json={"error": "invalid_client", "error_description": "The client is not authenticated"})


def invalid() -> httpx.Response:
    problem = {"type": "/problems/invalid_input", "title": "The input is not accepted", "errors": [FIELD]}
    return httpx.Response(422, json=problem)


def for_another() -> httpx.Response:
    return httpx.Response(401, json={"type": "/problems/not_signed_in", "title": "Not signed in", "detail": "for another"})


def transport(answers: Answers) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: answers.get(request.url.path, lambda: httpx.Response(404))())


def beside(answers: Answers, **settings: Any) -> Userd:
    common = {"issuer": ISSUER.issuer, "client_id": "id", "client_secret": "s3cret", "timeout": 0.3}
    said: dict[str, Any] = common | settings
    return Userd("", settings=Settings(**said), keys=ISSUER.keys, transport=transport(answers))


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "userd"]


def test_what_userd_refuses_says_why() -> None:
    userd = beside({"/oauth2/token": own, "/v1/users": invalid, "/v1/roles": lambda: httpx.Response(403), "/v1/me": for_another})
    with pytest.raises(Refused, match="422: The input is not accepted; /email is not an address$") as refused:
        userd.call("POST", "/v1/users", {})
    problem = refused.value.problem
    assert refused.value.answered == 422 and problem is not None
    assert (problem.slug, problem.type, problem.errors) == ("invalid_input", "/problems/invalid_input", (FIELD,))
    with pytest.raises(Refused, match="the permission"):
        userd.call("GET", "/v1/roles")
    with pytest.raises(Unavailable, match="Not signed in; for another") as unavailable:
        userd.call("GET", "/v1/me")
    assert unavailable.value.answered == 401


def test_a_secret_that_is_refused_is_an_error_of_its_own_in_the_status_and_once_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with beside({"/oauth2/token": wrong_secret}) as userd:
        with pytest.raises(CredentialsRefused, match="The client is not authenticated"):
            userd.token()
        with pytest.raises(CredentialsRefused):
            next(userd.events())
        with pytest.raises(Unavailable):
            userd.verify(ISSUER.token())
        until(lambda: userd.status().failures >= 3)
        assert userd.status().error == "credentials"
    (said,) = told(caplog)
    assert "credentials: userd refuses client_id" in said and "answered 503" in said and "s3cret" not in said


def test_asyncio_tells_the_same(caplog: pytest.LogCaptureFixture) -> None:
    async def calls() -> None:
        settings = Settings(ISSUER.issuer, client_id="id", client_secret="s3cret", timeout=0.3)
        answers = transport({"/oauth2/token": wrong_secret})
        async with AsyncUserd("", settings=settings, keys=ISSUER.keys, transport=answers) as userd:
            with pytest.raises(CredentialsRefused):
                await anext(userd.events())
            with pytest.raises(Unavailable):
                await userd.verify(ISSUER.token())
            assert userd.status().error == "credentials"

    asyncio.run(calls())
    assert len(told(caplog)) == 1


def test_the_log_says_that_revocations_are_followed_again(caplog: pytest.LogCaptureFixture) -> None:
    page: dict[str, Any] = {"items": [], "next_cursor": None, "has_more": False}
    answers: Answers = {"/oauth2/token": own, "/v1/revocations": lambda: httpx.Response(503)}
    with beside(answers) as userd:
        with pytest.raises(Unavailable):
            userd.verify(ISSUER.token())
        answers["/v1/revocations"] = lambda: httpx.Response(200, json=page)
        until(lambda: len(told(caplog)) == 2)
        userd.verify(ISSUER.token())
    assert "(503)" in told(caplog)[0] and "followed again" in told(caplog)[1]


def test_the_log_says_that_there_is_no_key_set(caplog: pytest.LogCaptureFixture) -> None:
    userd = Userd("https://users.example", transport=transport({}))
    for _ in range(2):
        with pytest.raises(Unavailable):
            userd.verify(ISSUER.token())
    (said,) = told(caplog)
    assert "the key set of https://users.example cannot be had" in said and "404" in said


def test_an_issuer_that_differs_is_said_with_both(caplog: pytest.LogCaptureFixture) -> None:
    userd = Userd(f"{ISSUER.issuer}/", keys=ISSUER.keys)
    for _ in range(2):
        with pytest.raises(InvalidToken, match="letter by letter") as wrong:
            userd.verify(ISSUER.token())
        assert wrong.value.reason == "issuer"
    (said,) = told(caplog)
    assert f"the token says '{ISSUER.issuer}', the configuration '{ISSUER.issuer}/'" in said


@pytest.mark.parametrize("kind", ["fastapi", "starlette"])
def test_a_fault_of_the_application_is_left_to_its_server_which_logs_it(kind: str) -> None:
    async def refused(_: Request) -> PlainTextResponse:
        raise Refused("/v1/users", 422)

    async def call() -> None:
        userd = ISSUER.async_userd()
        app: Any = Starlette(routes=[Route("/", refused)], middleware=[Middleware(UserdMiddleware, userd=userd)])
        if kind == "fastapi":
            app = FastAPI()
            Auth(app, userd)
            app.add_route("/", refused)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            await client.get("/", headers={"authorization": f"Bearer {ISSUER.token()}"})

    with pytest.raises(Refused):
        asyncio.run(call())
