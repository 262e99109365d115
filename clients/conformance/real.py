"""The real service: what is revoked there is refused here, and how long that takes."""

import time
from collections.abc import Callable
from typing import Any

from agent import Agent, verdict
from service import Service
from suite import must

# Generous: as a rule it is a few hundredths of a second. A busy machine is not what is tested.
BOUND = 10.0


def service(agent: Agent) -> int:
    with Service() as real:
        client_id, secret = real.client("revocations.read", "events.read", "tokens.introspect", "users.read")
        settings = {"issuer": real.url, "audience": "userd", "client_id": client_id, "client_secret": secret}
        agent.ask("open", settings=settings | {"wait": 3, "max_age": 5})
        count = revocations(agent, real)
        events(agent, real, secret)
        count += permissions(agent, real) + away(agent, real)
        agent.ask("close")
    return count + 1


def revocations(agent: Agent, real: Service) -> int:
    def of(tokens: Any) -> str:
        return str(tokens["access_token"])

    ended, signed_out, blocked, revoked, stays = (real.register() for _ in range(5))
    other_id, other_secret = real.client()
    service_token = own_token(real, other_id, other_secret)
    for tokens in (ended, signed_out, blocked, revoked, stays):
        must(verdict(agent.ask("verify", token=of(tokens))) == "ok", "a fresh token")
    must(verdict(agent.ask("verify", token=service_token)) == "ok", "a service's token")
    must(verdict(agent.ask("verify", token=of(stays)[:-2] + "AA")) == "signature", "a changed signature")

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


def wait_for(agent: Agent, what: str, token: str, expect: str) -> float:
    began = time.monotonic()
    while (got := verdict(agent.ask("verify", token=token))) != expect:
        must(time.monotonic() - began < BOUND, f"{what}: {got} after {BOUND:.0f} s")
        time.sleep(0.005)
    return time.monotonic() - began


def events(agent: Agent, real: Service, secret: str) -> None:
    answer = agent.ask("events", cursor=None, count=6)
    must(len(set(answer.get("ids", []))) == 6, f"events: {answer}")


def permissions(agent: Agent, real: Service) -> int:
    """Only where the service has the route: it is newer than this suite."""
    if "/v1/permissions/check" not in real.call("GET", "/openapi.json")["paths"]:
        print("  this service has no /v1/permissions/check: not tried", flush=True)
        return 0
    member = real.register()["user"]["id"]
    must(agent.ask("check", subject=member, permission="users.read") == {"allowed": False}, "a member's permission")
    return 1


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
