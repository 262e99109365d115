"""The cases and scenarios against the scripted service."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent import Agent, verdict
from fake import CLIENT_ID, SECRET, Fake
from mint import claims

CASES = Path(__file__).parent / "cases"


class Failed(Exception):
    """What a client library did otherwise than it should."""


def must(is_so: bool, what: str) -> None:
    if not is_so:
        raise Failed(what)


def tokens(agent: Agent) -> int:
    """Every token of `cases/tokens.json`, each twice: what is remembered must be judged alike."""
    cases = json.loads((CASES / "tokens.json").read_text())
    wrong = []
    with Fake() as fake:
        agent.ask("open", settings={"issuer": fake.url, "audience": "userd"})
        for case in cases:
            recipe = json.loads(json.dumps(case).replace("ISSUER", fake.url))
            shown = fake.mint(recipe)
            for _ in range(2):
                got = verdict(agent.ask("verify", token=shown))
                if got != case["expect"]:
                    wrong.append(f"{case['name']}: {got} instead of {case['expect']}")
        agent.ask("close")
    must(not wrong, "\n  ".join(wrong))
    must(len({case["name"] for case in cases}) == len(cases), "two cases have one name")
    return len(cases)


def scenarios() -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = json.loads((CASES / "scenarios.json").read_text())
    return every


def scenario(said: dict[str, Any]) -> Callable[[Agent], int]:
    def run(agent: Agent) -> int:
        with Fake() as fake:
            Run(agent, fake, said).run()
        return 1

    return run


class Run:
    """One scenario. Each step is a method: its first word."""

    def __init__(self, agent: Agent, fake: Fake, scenario: dict[str, Any]) -> None:
        self._agent, self._fake, self._scenario = agent, fake, scenario
        self._minted: dict[str, tuple[str, dict[str, Any], str]] = {}

    def run(self) -> None:
        follow = self._scenario.get("follow")
        self._open({"issuer": self._fake.url} if follow is None else self._following(follow))
        for number, step in enumerate(self._scenario["steps"], 1):
            word = next(iter(step))
            try:
                getattr(self, f"_{word}")(**{("value" if name == word else name): said for name, said in step.items()})
            except Failed as failed:
                raise Failed(f"{self._scenario['name']}, step {number} {json.dumps(step)}: {failed}") from None
        self._agent.ask("close")

    def _following(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {"issuer": self._fake.url, "client_id": CLIENT_ID, "client_secret": SECRET} | settings

    def _open(self, value: dict[str, Any]) -> None:
        """Begins with these settings; within a scenario: anew, and following."""
        if "issuer" not in value:
            self._agent.ask("close")
            value = self._following(value)
        must(self._agent.ask("open", settings={"audience": "userd"} | value) == {"ok": True}, "it does not open")

    def _mint(self, value: str, claims_of: str = "", **recipe: Any) -> None:
        changes = recipe.pop("claims", {})
        said = (self._minted[claims_of][1] if claims_of else claims(self._fake.url, {})) | changes
        said = {name: one for name, one in claims(self._fake.url, said).items()}
        made = self._fake.mint(recipe | {"claims": said | {name: None for name, one in changes.items() if one is None}})
        self._minted[value] = (made, said, recipe.get("key", "ed1"))

    def _ask(self, name: str) -> str:
        return verdict(self._agent.ask("verify", token=self._minted[name][0]))

    def _verify(self, value: str, expect: str) -> None:
        got = self._ask(value)
        must(got == expect, f"{got} instead of {expect}")

    def _eventually(self, value: str, expect: str, within: float) -> None:
        self._until(lambda: self._ask(value) == expect, within, lambda: f"still {self._ask(value)}")

    def _until(self, is_so: Callable[[], bool], within: float, told: Callable[[], str]) -> None:
        end = time.monotonic() + within
        while not is_so():
            must(time.monotonic() < end, told())
            time.sleep(0.02)

    def _set(self, value: str, to: Any) -> None:
        self._fake.change(value, to)

    def _do(self, value: str) -> None:
        getattr(self._fake, value)()

    def _revoke(self, value: dict[str, Any], of: str = "") -> None:
        entry = dict(value)
        if "issued_before" in entry:
            moment = datetime.now(UTC) + timedelta(seconds=entry["issued_before"]["in"])
            entry["issued_before"] = moment.isoformat().replace("+00:00", "Z")
        if of:
            _, said, kid = self._minted[of]
            whose = {"session_id": said.get("sid"), "user_id": said["sub"], "token_id": said["jti"]}
            entry |= whose | {"client_id": said["client_id"], "kid": kid}
        self._fake.revoke(entry)

    def _fill(self, value: int) -> None:
        for number in range(value):
            self._fake.revoke({"kind": "session", "session_id": f"filled-{number}", "user_id": "u"})

    def _storm(self, value: int, expect: str) -> None:
        """The key set may be asked for once at first, once at the first unknown key, and then once in five seconds."""
        began = time.monotonic()
        for number in range(value):
            shown = self._fake.mint({"header": {"kid": f"unknown-{number}"}})
            got = verdict(self._agent.ask("verify", token=shown))
            must(got == expect, f"{got} instead of {expect}")
        allowed = 2 + (time.monotonic() - began) / 5
        must(self._fake.requests["/.well-known/jwks.json"] <= allowed, f"more than {allowed:.1f} requests")

    def _requests(self, value: str, at_most: int = 10**9, at_least: int = 0) -> None:
        count = self._fake.requests[value]
        must(at_least <= count <= at_most, f"{count} requests")

    def _quiet(self, value: str, per_second: int) -> None:
        """Measured over two seconds after the change has been noticed."""
        self._until(lambda: self._fake.requests[value] >= 3, 30, lambda: "it does not ask")
        before, began = self._fake.requests[value], time.monotonic()
        time.sleep(2)
        rate = (self._fake.requests[value] - before) / (time.monotonic() - began)
        must(0 < rate <= per_second, f"{rate:.1f} requests per second")

    def _failures(self, value: int) -> None:
        """Waits for more calls of the feed: at least so many, counted by the service."""
        before = self._fake.requests["/v1/revocations"]
        enough = before + value
        self._until(lambda: self._fake.requests["/v1/revocations"] >= enough, 15, lambda: "it does not ask again")

    def _status(self, value: dict[str, Any]) -> None:
        status = self._agent.ask("status")
        fresh = status["age"] is not None and status["age"] < 5
        for name, wanted in value.items():
            must((fresh if name == "fresh" else status[name]) == wanted, f"{name} of {status}")

    def _told(self, value: str, within: float) -> None:
        """Waits until the status says why the feed fails."""
        self._until(lambda: self._agent.ask("status")["error"] == value, within, lambda: str(self._agent.ask("status")))

    def _stale(self, value: float) -> None:
        """Waits until the view is older than that."""
        self._until(lambda: (self._agent.ask("status")["age"] or 0) > value, 15, lambda: "it does not age")

    def _entries_at_most(self, value: int, within: float) -> None:
        def holds() -> bool:
            status = self._agent.ask("status")
            return bool(status["overflows"] > 0 and status["entries"] <= value)

        self._until(holds, within, lambda: str(self._agent.ask("status")))

    def _active(self, value: str) -> None:
        shown, said, _ = self._minted[value]
        self._fake.active[shown] = {"active": True} | said

    def _own_token(self, value: bool) -> None:
        must(self._agent.ask("token").get("token", "") in self._fake.own_tokens, "no token of its own")

    def _token_for(self, value: str) -> None:
        """For another service: its own, and the same when it is asked for again."""
        token = self._agent.ask("token", resource=value).get("token", "")
        must(self._fake.tokens_for_others.get(token) == value, f"no token for {value}")
        must(self._agent.ask("token", resource=value)["token"] == token, "not remembered")

    def _tokens_differ(self, value: bool, within: float) -> None:
        first = self._agent.ask("token")["token"]
        self._until(lambda: self._agent.ask("token")["token"] != first, within, lambda: "never renewed")
        must(self._fake.requests["/oauth2/token"] <= 12, "renewed too often")


def calls(agent: Agent) -> int:
    """Permissions, events, guards and webhooks."""
    with Fake() as fake:
        agent.ask("open", settings={"issuer": fake.url, "audience": "userd", "client_id": CLIENT_ID, "client_secret": SECRET})
        for permission, allowed in [("orders.read", True), ("orders.write", False)]:
            must(agent.ask("check", subject="u", permission=permission) == {"allowed": allowed}, permission)
        answer = agent.ask("check_many", checks=[["u", "orders.write"], ["u", "orders.read"]])
        wanted = [{"allowed": False, "reason": "not granted"}, {"allowed": True, "reason": "role"}]
        must(answer == {"results": wanted}, f"check_many: {answer}")
        must(agent.ask("check_many", checks=[]) == {"results": []}, "check_many of nothing")
        many = [["u", "orders.read" if number % 3 else "orders.write"] for number in range(2_345)]
        results = agent.ask("check_many", checks=many).get("results", [])
        wanted_many = [permission == "orders.read" for _, permission in many]
        must([one["allowed"] for one in results] == wanted_many, "more questions than a call may have")
        fake.change("modes", {"/v1/permissions/check": "forbidding", "/v1/events": "forbidding"})
        must(verdict(agent.ask("check", subject="u", permission="p")) == "refused", "a permission that the account lacks")
        must(verdict(agent.ask("events", cursor=None, count=1)) == "refused", "events that the account may not read")
        fake.change("modes", {"/v1/permissions/check": "wrong types"})
        must(verdict(agent.ask("check", subject="u", permission="p")) == "unavailable", "nonsense is an answer")
        fake.change("modes", {})
        fake.forget_own_tokens()
        must(agent.ask("check", subject="u", permission="orders.read") == {"allowed": True}, "an own token that is refused")

        wanted_user = {"id": "u1", "status": "active", "roles": ["clerk"]}
        must(agent.ask("user", id="u1") == {"user": wanted_user}, "an account")
        for nobody in ("u2", "u1/sessions", "../x", "u1?x", "ü"):
            must(agent.ask("user", id=nobody) == {"user": None}, f"an account that is not there: {nobody}")

        # Pages of three: the fourth event is of the second page, so the place behind the first is stored.
        must(agent.ask("events", cursor=None, count=4) == {"ids": ["e0", "e1", "e2", "e3"], "cursor": "3"}, "events")
        must(agent.ask("events", cursor="3", count=4) == {"ids": ["e3", "e4", "e5", "e6"], "cursor": "6"}, "events, on")
        must(verdict(agent.ask("events", cursor="gone", count=1)) == "cursor_expired", "a place that is gone")

        clerk = fake.mint({})
        for roles, permissions, wanted_two in [
            (["clerk"], ["orders.read"], (True, True)),
            (["boss", "clerk"], ["orders.read", "orders.write"], (True, False)),
            (["boss"], ["orders.write"], (False, False)),
        ]:
            allows = agent.ask("allows", token=clerk, roles=roles, permissions=permissions)
            must((allows["role"], allows["permission"]) == wanted_two, f"guards: {roles} {permissions} {allows}")
        agent.ask("close")
    return 19 + webhooks(agent)


def webhooks(agent: Agent) -> int:
    cases = json.loads((CASES / "webhooks.json").read_text())
    for case in cases:
        got = verdict(agent.ask("webhook", **{name: case[name] for name in ("secrets", "headers", "body", "now")}))
        must(got == case["expect"], f"webhook {case['name']}: {got}")
    return len(cases)
