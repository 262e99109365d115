"""What can go wrong, as an answer needs it: 401, 403 or 503."""

from typing import Literal

Reason = Literal[
    "malformed",
    "type",
    "algorithm",
    "unknown_key",
    "signature",
    "claims",
    "issuer",
    "audience",
    "expired",
    "not_yet_valid",
    "revoked",
    "missing",
]


class UserdError(Exception):
    """Anything of this package."""

    status = 500
    slug = "internal"


class InvalidToken(UserdError):
    """The token is not good: 401. `reason` is for logs; callers need not know more."""

    status = 401
    slug = "invalid_token"

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason

    @property
    def challenge(self) -> str:
        """`WWW-Authenticate`: without an error where there were no credentials (RFC 6750 section 3.1)."""
        return "Bearer" if self.reason == "missing" else 'Bearer error="invalid_token"'


class Forbidden(UserdError):
    """The token is good and does not allow this: 403."""

    status = 403
    slug = "insufficient_scope"


class Unavailable(UserdError):
    """Whether the token is good cannot be told now: 503."""

    status = 503
    slug = "unavailable"


class Refused(UserdError):
    """The service refuses a call of ours: most likely this service's account lacks a permission."""

    slug = "refused"

    def __init__(self, path: str, answered: int) -> None:
        super().__init__(f"{path} answered {answered}: does the account of this service have the permission?")
        self.answered = answered


class CursorExpired(UserdError):
    """The events behind the stored cursor are gone: read what you know anew, then start without one."""


class InvalidWebhook(UserdError):
    """The call is not genuine, or too old: 400."""

    status = 400
    slug = "invalid_webhook"
