"""Trusts tokens of a userd: verified offline, with the revocations of the last second, for sync and async code."""

from ._async import AsyncUserd
from ._permissions import Decision
from ._settings import Settings, WhenStale
from ._sync import Userd
from ._token import Token
from ._user import User
from ._view import FeedStatus
from .errors import (
    CredentialsRefused,
    CursorExpired,
    Forbidden,
    InvalidToken,
    InvalidWebhook,
    Problem,
    Refused,
    Unavailable,
    UserdError,
)
from .events import CursorStore, Event, FileCursor, MemoryCursor
from .webhooks import Webhook

__all__ = [
    "AsyncUserd",
    "CredentialsRefused",
    "CursorExpired",
    "CursorStore",
    "Decision",
    "Event",
    "FeedStatus",
    "FileCursor",
    "Forbidden",
    "InvalidToken",
    "InvalidWebhook",
    "MemoryCursor",
    "Problem",
    "Refused",
    "Settings",
    "Token",
    "Unavailable",
    "User",
    "Userd",
    "UserdError",
    "Webhook",
    "WhenStale",
]
