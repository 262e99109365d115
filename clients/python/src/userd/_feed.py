"""How the feed of revocations is read: what to ask, what an answer means, how long to pause. No network in here."""

import random
from typing import Any

from ._view import FeedStatus, View

_PAGE = 200
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Feed:
    """The place in the feed, and how it goes."""

    def __init__(self, view: View, wait: int) -> None:
        self.view = view
        self.restarts = 0
        self.failures = 0
        self._error = ""
        self._wait = wait
        self._cursor: str | None = None
        self._is_complete = False

    def query(self) -> dict[str, str | int]:
        """The question. Only who has everything waits."""
        query: dict[str, str | int] = {"limit": _PAGE}
        if self._cursor is not None:
            query["after"] = self._cursor
        if self._is_complete:
            query["wait"] = self._wait
        return query

    def answered(self, body: Any, now: float, clock: float, took: float) -> tuple[float, bool]:
        """Takes a page: how long to pause, and whether a key was revoked. Raises on nonsense, before the place moves."""
        items, cursor, has_more = body["items"], body["next_cursor"], body["has_more"]
        if not isinstance(has_more, bool) or not (cursor is None or isinstance(cursor, str)):
            raise ValueError("not a page of the feed")
        key_revoked = self.view.apply(items, now)
        has_moved = cursor is not None and cursor != self._cursor
        self._cursor = cursor if cursor is not None else self._cursor
        self.failures, self._error = 0, ""
        asked_to_wait, self._is_complete = self._is_complete, not has_more
        if has_more:
            return 0.0 if has_moved else 1.0, key_revoked
        self.view.complete(clock)
        self.view.forget(now)
        # A server that does not hold the answer (it is about to stop) is not asked in a loop.
        is_held = bool(items) or took >= 1.0 or not asked_to_wait
        return 0.0 if is_held else 1.0, key_revoked

    def restart(self) -> float:
        """410: another feed than before. What is known still counts."""
        self.restarts += 1
        self._cursor, self._is_complete = None, False
        return self.failed("410")

    def failed(self, error: str, at_least: float = 0.0) -> float:
        """How long to pause after a failure: longer each time, at random, so that many do not come at once."""
        self.failures += 1
        self._error = error
        longest = min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2.0 ** min(self.failures - 1, 10))
        return max(min(at_least, 30.0), longest * random.uniform(0.5, 1.0))

    def status(self, clock: float) -> FeedStatus:
        return FeedStatus(
            age=self.view.age(clock),
            entries=len(self.view),
            restarts=self.restarts,
            overflows=self.view.overflows,
            failures=self.failures,
            error=self._error,
        )
