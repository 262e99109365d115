"""The parts alone: webhooks against another maker's library, the bound of the view, cursors, settings, own tokens."""

import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook as Witness

from userd import FileCursor, InvalidToken, InvalidWebhook, Settings, Unavailable, Userd, Webhook
from userd._core import OwnToken
from userd._view import View
from userd.testing import FakeIssuer

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "c2VjcmV0" * 4
BODY = '{"id": "1", "type": "user.purged", "subject": "u", "time": "2026-01-01T00:00:00Z", "data": {}}'


def call(secret: str, at: datetime) -> dict[str, str]:
    signature = Witness(secret).sign("msg_1", at, BODY)
    return {"Webhook-Id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_webhooks_signed_by_another_makers_library_are_taken_and_changed_ones_are_not() -> None:
    now = datetime.now(UTC)
    assert Webhook(OTHER, SECRET).verify(BODY.encode(), call(SECRET, now)).type == "user.purged"
    right = call(SECRET, now)
    two = right | {"webhook-signature": "v1a,xx v1,AAAA " + right["webhook-signature"]}
    Webhook(SECRET).verify(BODY.encode(), two)
    for body, headers in [
        (BODY + " ", right),
        (BODY, call(OTHER, now)),
        (BODY, call(SECRET, now - timedelta(minutes=6))),
        (BODY, call(SECRET, now + timedelta(minutes=6))),
        (BODY, right | {"Webhook-Id": "msg_2"}),
        (BODY, right | {"webhook-signature": ""}),
        (BODY, right | {"webhook-signature": "v1,é"}),
        (BODY, right | {"webhook-timestamp": "soon"}),
        (BODY, {}),
    ]:
        with pytest.raises(InvalidWebhook):
            Webhook(SECRET).verify(body.encode(), headers)


def test_webhooks_signed_by_a_key_are_taken_by_whoever_has_its_public_half() -> None:
    now, keys = datetime.now(UTC), [Ed25519PrivateKey.generate() for _ in range(3)]
    public = ["whpk_" + b64encode(key.public_key().public_bytes_raw()).decode() for key in keys]
    moment = str(int(now.timestamp()))
    signatures = [b64encode(key.sign(f"msg_1.{moment}.{BODY}".encode())).decode() for key in keys[:2]]
    headers = {"webhook-id": "msg_1", "webhook-timestamp": moment}
    headers["webhook-signature"] = " ".join(f"v1a,{signature}" for signature in signatures)
    for known in (public[:1], public[1:], public[:2], [SECRET, public[0]]):
        assert Webhook(*known).verify(BODY.encode(), headers).subject == "u"
    mixed = headers | {"webhook-signature": headers["webhook-signature"] + " " + call(SECRET, now)["webhook-signature"]}
    assert Webhook(SECRET).verify(BODY.encode(), mixed).id == "1"
    for body, wrong, known in [
        (BODY + " ", headers, public[:1]),
        (BODY, headers, public[2:]),
        (BODY, headers, [SECRET]),
        (BODY, headers | {"webhook-id": "msg_2"}, public[:1]),
        (BODY, headers | {"webhook-signature": f"v1,{signatures[0]}"}, public[:1]),
        (BODY, headers | {"webhook-signature": "v1a,é v1a,AAAA v1a"}, public[:1]),
    ]:
        with pytest.raises(InvalidWebhook):
            Webhook(*known).verify(body.encode(), wrong)
    with pytest.raises(ValueError):
        Webhook("whpk_AAAA")


def entry(number: int, at: datetime) -> dict[str, Any]:
    times = {"recorded_at": at.isoformat(), "expires_at": (at + timedelta(minutes=12)).isoformat()}
    return {"id": str(number), "kind": "session", "session_id": f"s{number}"} | times


def test_the_view_is_bounded_and_refuses_more_rather_than_less() -> None:
    view, now = View(100), datetime.now(UTC)
    view.apply([entry(number, now + timedelta(seconds=number)) for number in range(1_000)], time.time())
    assert len(view) <= 100 and view.overflows > 0
    verifier = FakeIssuer()
    issued = int(now.timestamp())
    for number in range(1_000):
        token = verifier.userd().verify(verifier.token(session=f"s{number}", iat=issued, nbf=issued))
        assert view.forbids(token), number
    later = int(now.timestamp()) + 2_000
    fresh = verifier.token(session="new", iat=issued, exp=later)
    assert view.forbids(verifier.userd().verify(fresh))


def test_what_has_expired_is_forgotten() -> None:
    view, now = View(100), datetime.now(UTC)
    view.apply([entry(1, now - timedelta(hours=1)), entry(2, now)], time.time())
    view.forget(time.time())
    assert len(view) == 1


def test_a_cursor_in_a_file_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    assert FileCursor(path).load() is None
    FileCursor(path).save("a")
    FileCursor(path).save("b")
    assert FileCursor(path).load() == "b" and [file.name for file in tmp_path.iterdir()] == ["cursor"]


def test_the_own_token_is_renewed_before_it_ends() -> None:
    own, request = OwnToken(), httpx.Request("POST", "http://x")
    answer = httpx.Response(200, json={"access_token": "t", "expires_in": 100}, request=request)
    assert own.usable(0) is None and own.took(answer, 0) == "t"
    assert own.usable(74) == "t" and not own.is_due(74)
    assert own.is_due(75) and own.usable(90) == "t" and own.usable(95) is None
    with pytest.raises(Unavailable):
        own.took(httpx.Response(401, request=request), 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "users.example"},
        {"audience": ""},
        {"client_id": "x"},
        {"leeway": 61},
        {"when_stale": "guess"},
        {"wait": 30},
        {"max_age": 5},
        {"max_entries": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Settings(**({"issuer": "https://users.example"} | wrong))


def test_secrets_are_not_printed() -> None:
    settings = Settings("https://users.example", client_id="id", client_secret="hidden-secret")
    assert "hidden-secret" not in repr(settings)
    token = FakeIssuer().token()
    assert token not in repr(InvalidToken("expired"))


def test_a_role_that_allows_less_ends_the_tokens_made_before_and_none_after() -> None:
    issuer = FakeIssuer()
    userd = issuer.userd()
    before, reader = issuer.token(roles=["reader", "clerk"]), issuer.token(roles=["reader"])
    assert userd.verify(before).role_versions == {"reader": 1, "clerk": 1}
    issuer.narrow_role("clerk")
    with pytest.raises(InvalidToken, match="revoked"):
        userd.verify(before)
    assert userd.verify(reader).has_role("reader")
    assert userd.verify(issuer.token(roles=["clerk"])).role_versions == {"clerk": 2}


def test_memory_of_verified_tokens_is_bounded_and_expiry_counts() -> None:
    issuer = FakeIssuer()
    settings = Settings(issuer.issuer, max_tokens=10, leeway=0)
    userd = Userd("", settings=settings, keys=issuer.keys)
    for _ in range(30):
        userd.verify(issuer.token())
    assert len(userd._core._remembered) == 10
    short = issuer.token(expires_in=1)
    userd.verify(short)
    end = time.monotonic() + 5
    with pytest.raises(InvalidToken, match="expired"):
        while time.monotonic() < end:
            userd.verify(short)
            time.sleep(0.05)
