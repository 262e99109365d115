"""The view of revocations: which tokens died before their time, and how old that knowledge is."""

import math
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ._token import Token


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What is known of the feed, for logs and health checks."""

    age: float
    """Seconds since the service last said that nothing is missing; infinite before it did."""
    entries: int
    restarts: int
    """How often the feed was begun anew because it is another one than before: a backup was restored."""
    overflows: int
    """How often entries were replaced by a coarser one because there were too many."""
    failures: int
    """Calls in a row that failed."""
    error: str
    """Why the last one did: `credentials` (the account's id or secret is wrong), its HTTP status (403: the account lacks
    `revocations.read`), `unreachable`, `nonsense`; empty where it did not."""


class View:
    """Written by the follower, read by every request."""

    def __init__(self, max_entries: int) -> None:
        self._max = max_entries
        self._lock = threading.Lock()
        # What is dead, each with the second at which that can be forgotten: all that it touches has expired.
        self._dead: dict[tuple[str, str], float] = {}
        self._lowest: dict[tuple[str, str], tuple[int, float]] = {}
        self._recorded: dict[tuple[str, str], float] = {}
        self._issued_before = 0
        self._complete_at: float | None = None
        self.overflows = 0

    def forbids(self, token: Token) -> bool:
        dead, lowest = self._dead, self._lowest
        if token.issued_at < self._issued_before or ("key", token.key_id) in dead or ("token", token.token_id) in dead:
            return True
        if any(self._allows_less(role, token) for role in token.roles):
            return True
        if token.session_id is None:
            least = lowest.get(("client", token.client_id))
        else:
            least = lowest.get(("user", token.subject))
            if ("session", token.session_id) in dead:
                return True
        return least is not None and token.version < least[0]

    def _allows_less(self, role: str, token: Token) -> bool:
        """Whether a role of the token does. A token without its version is from before there were any."""
        least = self._lowest.get(("role", role))
        return least is not None and token.role_versions.get(role, 0) < least[0]

    def apply(self, entries: list[dict[str, Any]], now: float) -> bool:
        """Takes entries; an entry may come twice. Whether a key is among them."""
        with self._lock:
            for entry in entries:
                self._take(entry)
            if len(self) > self._max:
                self._forget(now)
            if len(self) > self._max:
                self._coarsen(self._max // 2)
        return any(entry["kind"] == "key" for entry in entries)

    def complete(self, clock: float) -> None:
        """The service has said that nothing is missing."""
        self._complete_at = clock

    def age(self, clock: float) -> float:
        return math.inf if self._complete_at is None else max(0.0, clock - self._complete_at)

    def __len__(self) -> int:
        return len(self._dead) + len(self._lowest)

    def _take(self, entry: dict[str, Any]) -> None:
        until = _seconds(entry["expires_at"])
        match entry["kind"]:
            case "session":
                key = ("session", str(entry["session_id"]))
            case "token":
                key = ("token", str(entry["token_id"]))
            case "key":
                key = ("key", str(entry["kid"]))
            case "user":
                key = ("user", str(entry["user_id"]))
                self._raise(key, int(entry["min_epoch"]), until)
            case "client":
                key = ("client", str(entry["client_id"]))
                self._raise(key, int(entry["before"]), until)
            case "role":
                key = ("role", str(entry["role"]))
                self._raise(key, int(entry["min_version"]), until)
            case "all":
                self._issued_before = max(self._issued_before, int(_seconds(entry["issued_before"])))
                return
            case _:
                return
        if key[0] in ("session", "token", "key"):
            self._dead[key] = max(until, self._dead.get(key, 0.0))
        self._recorded[key] = max(_seconds(entry["recorded_at"]), self._recorded.get(key, 0.0))

    def _raise(self, key: tuple[str, str], least: int, until: float) -> None:
        before = self._lowest.get(key, (0, 0.0))
        self._lowest[key] = (max(least, before[0]), max(until, before[1]))

    def forget(self, now: float) -> None:
        """Drops what can touch no living token."""
        with self._lock:
            self._forget(now)

    def _forget(self, now: float) -> None:
        self._dead = {key: until for key, until in self._dead.items() if until > now}
        self._lowest = {key: least for key, least in self._lowest.items() if least[1] > now}
        known = self._dead.keys() | self._lowest.keys()
        self._recorded = {key: at for key, at in self._recorded.items() if key in known}

    def _coarsen(self, keep: int) -> None:
        """The older ones become "all that was issued until then": it refuses more, never less. Keys and roles stay: they
        touch tokens that are issued later too."""
        recorded = sorted(self._recorded, key=self._recorded.__getitem__)
        others = [key for key in recorded if key[0] not in ("key", "role")]
        dropped = others[: max(1, len(others) - keep)]
        if dropped:
            self._issued_before = max(self._issued_before, int(self._recorded[dropped[-1]]) + 1)
        gone = set(dropped)
        self._dead = {key: until for key, until in self._dead.items() if key not in gone}
        self._lowest = {key: least for key, least in self._lowest.items() if key not in gone}
        self._recorded = {key: at for key, at in self._recorded.items() if key not in gone}
        self.overflows += 1


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
