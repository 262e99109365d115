"""Every block of Python of the README runs, in order, against a real service; its FastAPI page is then called."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from service import Service

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_readme_runs_and_its_page_is_protected(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client_id, secret = service.client("revocations.read")
    monkeypatch.setenv("USERD_CLIENT_ID", client_id)
    monkeypatch.setenv("USERD_CLIENT_SECRET", secret)
    monkeypatch.chdir(tmp_path)
    if not settings.configured:
        settings.configure()
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert len(blocks) >= 7
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        exec(compile(block.replace("https://users.example", service.url), f"README block {number}", "exec"), names)
    asyncio.run(call_the_page(names, service))


async def call_the_page(names: dict[str, Any], service: Service) -> None:
    tokens = service.register()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    transport = httpx.ASGITransport(names["app"])
    async with names["userd"], httpx.AsyncClient(transport=transport, base_url="http://orders") as client:
        assert (await client.get("/orders")).headers["www-authenticate"] == "Bearer"
        answer = await client.get("/orders", headers=bearer)
        assert answer.json() == {"for": tokens["user"]["id"]}
        assert (await client.delete("/orders", headers=bearer)).status_code == 403
        # From the sign-out on nobody is let in, within a second as a rule.
        service.call("POST", "/v1/auth/logout", token=tokens["access_token"])
        async with asyncio.timeout(10):
            while (await client.get("/orders", headers=bearer)).status_code != 401:
                await asyncio.sleep(0.02)
