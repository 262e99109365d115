"""The event feed: what happened, each event at least once, from a stored place on."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from .errors import CursorExpired, Unavailable


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent. `docs/events.md` of userd has the types; ignore those that you do not know."""

    id: str
    type: str
    subject: str
    time: str
    sequence: str
    data: Mapping[str, Any]


class CursorStore(Protocol):
    """Where the place in the feed is kept; best in the transaction that handles the events."""

    def load(self) -> str | None: ...

    def save(self, cursor: str) -> None: ...


class MemoryCursor:
    """Forgotten with the process."""

    def __init__(self, cursor: str | None = None) -> None:
        self._cursor = cursor

    def load(self) -> str | None:
        return self._cursor

    def save(self, cursor: str) -> None:
        self._cursor = cursor


class FileCursor:
    """In a file, which is replaced as a whole."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> str | None:
        try:
            return self._path.read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None

    def save(self, cursor: str) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False, encoding="utf-8") as file:
            file.write(cursor)
        os.replace(file.name, self._path)


def page_of(answer: httpx.Response) -> tuple[list[Event], str]:
    """The events of an answer, and where to go on."""
    if answer.status_code == 410:
        raise CursorExpired("the events behind the cursor are gone")
    try:
        body = answer.json()
        return [event_of(item) for item in body["items"]], str(body["next"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable("not a page of events") from error


def event_of(item: Any) -> Event:
    """An event from its JSON, in the feed or in a webhook."""
    return Event(
        id=str(item["id"]),
        type=str(item["type"]),
        subject=str(item["subject"]),
        time=str(item["time"]),
        sequence=str(item.get("sequence", "")),
        data=dict(item.get("data") or {}),
    )
