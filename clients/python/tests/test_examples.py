"""The example service (examples/fastapi), against a fake issuer: no server is needed for it."""

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import httpx

from userd.testing import FakeIssuer
from userd.webhooks import Webhook

SERVICE = Path(__file__).parents[3] / "examples" / "fastapi" / "service.py"
SECRET = "whsec_" + base64.b64encode(b"a secret of a webhook").decode()


def service() -> ModuleType:
    spec = importlib.util.spec_from_file_location("service", SERVICE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def called(event: Mapping[str, object]) -> tuple[bytes, dict[str, str]]:
    body, now = json.dumps(event).encode(), str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, f"m1.{now}.".encode() + body, hashlib.sha256).digest()
    signed = {"webhook-id": "m1", "webhook-timestamp": now, "webhook-signature": "v1," + base64.b64encode(mac).decode()}
    return body, signed


def test_the_fastapi_service_knows_who_calls_what_they_may_and_who_is_gone() -> None:
    asyncio.run(story())


async def story() -> None:
    issuer = FakeIssuer()
    app = service().make(issuer.async_userd(), Webhook(SECRET))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orders.test") as client:
        ada = bearing(issuer.token("ada", session="s1"))
        assert (await client.get("/orders")).status_code == 401
        assert (await client.post("/orders", json={"what": "tea"}, headers=ada)).json() == ["tea"]
        assert (await client.get("/orders", headers=bearing(issuer.token("bob")))).json() == []
        assert (await client.delete("/orders/ada", headers=ada)).status_code == 403
        clerk = bearing(issuer.token("clerk", permissions=["orders.delete"]))
        assert (await client.delete("/orders/nobody", headers=clerk)).status_code == 404
        event = {"id": "e1", "type": "user.purged", "subject": "ada", "time": "2026-11-30T00:00:00Z"}
        body, signed = called(event | {"data": {}})
        assert (await client.post("/hooks/userd", content=body + b" ", headers=signed)).status_code == 400
        assert (await client.get("/orders", headers=ada)).json() == ["tea"]
        assert (await client.post("/hooks/userd", content=body, headers=signed)).status_code == 204
        assert (await client.get("/orders", headers=ada)).json() == []
        issuer.end_session("s1")
        assert (await client.get("/orders", headers=ada)).status_code == 401
