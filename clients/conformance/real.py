"""The real service: what is revoked there is refused here, and how long that takes."""

import json
import time
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from agent import Agent, verdict
from service import Service
from suite import must

# Generous: as a rule it is a few hundredths of a second. A busy machine is not what is tested.
BOUND = 10.0
CHECK = "/v1/permissions/check"


def service(agent: Agent) -> int:
    with Service(tokens__audience__0="userd", tokens__audience__1="orders") as real:
        wanted = ["revocations.read", "events.read", "tokens.introspect", "users.read"]
        has_roles = CHECK in real.call("GET", "/openapi.json")["paths"]
        wanted += ["permissions.check"] if has_roles else []
        # Its first audience is another service's: userd is asked with a token that says it is for userd.
        client_id, secret = real.client(*wanted, audiences=("orders", "userd"))
        settings = {"issuer": real.url, "audience": "userd", "client_id": client_id, "client_secret": secret}
        agent.ask("open", settings=settings | {"wait": 3, "max_age": 5})
        own, for_orders = agent.ask("token")["token"], agent.ask("token", resource="orders")["token"]
        must((audience(own), audience(for_orders)) == ("userd", "orders"), "own tokens, each for its service")
        must(verdict(agent.ask("token", resource="elsewhere")) == "refused", "a token for a service that is not the account's")
        count = revocations(agent, real)
        events(agent, real)
        count += permissions(agent, real) if has_roles else 0
        count += away(agent, real) + restored(agent, real)
        agent.ask("close")
    return count + 2


def audience(token: str) -> Any:
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))["aud"]


def revocations(agent: Agent, real: Service) -> int:
    def of(tokens: Any) -> str:
        return str(tokens["access_token"])

    ended, signed_out, blocked, revoked, stays = (real.register() for _ in range(5))
    other_id, other_secret = real.client()
    service_token = own_token(real, other_id, other_secret)
    for tokens in (ended, signed_out, blocked, revoked, stays):
        must(verdict(agent.ask("verify", token=of(tokens))) == "ok", "a fresh token")
    must(verdict(agent.ask("verify", token=service_token)) == "ok", "a service's token")
    # Not at the end, whose bits are mostly zero.
    good = of(stays)
    changed = good[:-20] + ("B" if good[-20] == "A" else "A") + good[-19:]
    must(verdict(agent.ask("verify", token=changed)) == "signature", "a changed signature")

    acts: list[tuple[str, str, Callable[[], Any]]] = [
        ("sign-out", of(ended), lambda: real.call("POST", "/v1/auth/logout", token=of(ended))),
        ("sign-out by an administrator", of(signed_out), lambda: on_user(real, signed_out, "sign-out")),
        ("block", of(blocked), lambda: on_user(real, blocked, "block")),
        ("revoked token", of(revoked), lambda: real.form("/oauth2/revoke", {"token": of(revoked)})),
        ("new secret", service_token, lambda: real.as_admin("POST", f"/v1/clients/{other_id}/rotate-secret")),
    ]
    took = {what: until_revoked(agent, what, token, act) for what, token, act in acts}
    must(verdict(agent.ask("verify", token=of(stays))) == "ok", "whoever did nothing")
    took["revoked key"] = until_revoked(agent, "revoked key", of(stays), real.revoke_active_key)
    fresh = real.register()
    wait_for(agent, "a token by the new key", of(fresh), "ok")
    told = ", ".join(f"{what} {seconds * 1000:.0f} ms" for what, seconds in took.items())
    print(f"  obeyed after: {told}", flush=True)
    return len(took)


def on_user(real: Service, tokens: Any, what: str) -> None:
    real.as_admin("POST", f"/v1/users/{tokens['user']['id']}/{what}", {} if what == "block" else None)


def own_token(real: Service, client_id: str, secret: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return str(real.form("/oauth2/token", form)["access_token"])


def until_revoked(agent: Agent, what: str, token: str, act: Callable[[], Any]) -> float:
    act()
    return wait_for(agent, what, token, "revoked")


def wait_for(agent: Agent, what: str, token: str, *expect: str) -> float:
    began = time.monotonic()
    while (got := verdict(agent.ask("verify", token=token))) not in expect:
        must(time.monotonic() - began < BOUND, f"{what}: {got} after {BOUND:.0f} s")
        time.sleep(0.005)
    return time.monotonic() - began


def events(agent: Agent, real: Service) -> None:
    answer = agent.ask("events", cursor=None, count=6)
    must(len(set(answer.get("ids", []))) == 6, f"events: {answer}")
    member = real.register()["user"]["id"]
    must(agent.ask("user", id=member) == {"user": {"id": member, "status": "active", "roles": []}}, "an account")
    must(agent.ask("user", id=str(uuid.uuid4())) == {"user": None}, "an account that is not there")


def permissions(agent: Agent, real: Service) -> int:
    """A role is given, asked about, and taken: tokens that have it die."""
    made = real.register()
    member = made["user"]["id"]

    def may() -> Any:
        return agent.ask("check", subject=member, permission="users.read")

    must(may() == {"allowed": False}, f"before the role: {may()}")
    real.as_admin("PUT", f"/v1/users/{member}/roles/admin", {})
    must(may() == {"allowed": True}, f"with the role: {may()}")
    token = str(real.call("POST", "/v1/auth/refresh", {"refresh_token": made["refresh_token"]})["access_token"])
    allows = agent.ask("allows", token=token, roles=["admin"], permissions=["users.read"])
    must(allows.get("role") is True and allows.get("permission") is True, f"a token with the role: {allows}")
    removal = until_revoked(agent, "removed role", token, lambda: real.as_admin("DELETE", f"/v1/users/{member}/roles/admin"))
    must(may() == {"allowed": False}, f"after the role: {may()}")
    narrowing = narrowed(agent, real)
    answer = agent.ask("check_many", checks=[[member, "users.read"], [str(uuid.uuid4()), "users.read"]])
    must([one["allowed"] for one in answer.get("results", [])] == [False, False], f"check_many: {answer}")
    print(f"  removed role {removal * 1000:.0f} ms, role that allows less {narrowing * 1000:.0f} ms", flush=True)
    return 5


def narrowed(agent: Agent, real: Service) -> float:
    """A role is made to allow less: tokens that carry what it allowed die, and those issued after are good."""
    real.as_admin("POST", "/v1/roles", {"name": "reader", "permissions": ["users.read", "audit.read"]})
    made = real.register()
    real.as_admin("PUT", f"/v1/users/{made['user']['id']}/roles/reader", {})
    held = real.call("POST", "/v1/auth/refresh", {"refresh_token": made["refresh_token"]})
    token = str(held["access_token"])
    allows = agent.ask("allows", token=token, roles=["reader"], permissions=["users.read", "audit.read"])
    must(allows.get("permission") is True, f"a token with the role: {allows}")
    less = {"permissions": ["users.read"]}
    narrowing = until_revoked(agent, "less allowed", token, lambda: real.as_admin("PUT", "/v1/roles/reader", less))
    after = str(real.call("POST", "/v1/auth/refresh", {"refresh_token": held["refresh_token"]})["access_token"])
    allows = agent.ask("allows", token=after, roles=["reader"], permissions=["audit.read"])
    must(allows.get("role") is True and allows.get("permission") is False, f"a token issued after: {allows}")
    return narrowing


def away(agent: Agent, real: Service) -> int:
    """The service goes away and comes back."""
    token = str(real.register()["access_token"])
    wait_for(agent, "before the stop", token, "ok")
    real.stop()
    began = time.monotonic()
    while (got := verdict(agent.ask("verify", token=token))) != "unavailable":
        must(got == "ok" and time.monotonic() - began < 25, f"away: {got}")
        time.sleep(0.05)
    real.start()
    began = time.monotonic()
    while verdict(agent.ask("verify", token=token)) != "ok":
        must(time.monotonic() - began < 20, "back, and still nobody can tell")
        time.sleep(0.05)
    real.call("POST", "/v1/auth/logout", token=token)
    wait_for(agent, "sign-out after the restart", token, "revoked")
    return 2


def restored(agent: Agent, real: Service) -> int:
    """A backup is put in place: tokens of before are dead, those of after are good, and the feed is another one."""
    real.command("backup", "copy.db")
    token = str(real.register()["access_token"])
    wait_for(agent, "before the restore", token, "ok")
    # The place in the feed is now one that the backup has not.
    ended = str(real.register()["access_token"])
    real.call("POST", "/v1/auth/logout", token=ended)
    wait_for(agent, "sign-out after the backup", ended, "revoked")
    real.stop()
    real.command("restore", "copy.db")
    real.start()
    # Its key is gone too: whichever is heard of first.
    wait_for(agent, "a token of before the restore", token, "revoked", "unknown_key")
    real.forget_admin()
    wait_for(agent, "a token of after the restore", str(real.register()["access_token"]), "ok")
    must(agent.ask("status")["restarts"] >= 1, "it does not tell that the feed began anew")
    return 2
