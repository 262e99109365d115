"""What can go wrong, as an answer needs it: 401, 403 or 503."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Problem:
    """What userd says about a call that it does not do (RFC 9457); on `/oauth2/*` the OAuth code and its description."""

    type: str
    slug: str
    """The last word of the type, stable: `docs/problems.md` of userd has them all."""
    title: str = ""
    detail: str = ""
    errors: tuple[Mapping[str, str], ...] = ()
    """The fields that are refused, each `pointer` and `detail`."""

    def __str__(self) -> str:
        fields = (f"{field.get('pointer', '')} {field.get('detail', '')}" for field in self.errors)
        return "; ".join(word for word in (self.title or self.slug, self.detail, *fields) if word)


class UserdError(Exception):
    """Anything of this package."""

    status = 500
    slug = "internal"


class InvalidToken(UserdError):
    """The token is not good: 401. `reason` is for logs; callers need not know more."""

    status = 401
    slug = "invalid_token"

    def __init__(self, reason: Reason, more: str = "") -> None:
        super().__init__(f"{reason}: {more}" if more else reason)
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

    def __init__(self, message: str, answered: int | None = None, problem: Problem | None = None) -> None:
        """`answered`: the status of userd's answer, None where there was none; `problem`: what it says."""
        super().__init__(message + _told(problem))
        self.answered, self.problem = answered, problem


class CredentialsRefused(Unavailable):
    """Userd does not know this service's account by this id and secret. No token can be checked for revocation: 503."""

    def __init__(self, problem: Problem | None = None) -> None:
        super().__init__("userd refuses client_id and client_secret", 401, problem)


class Refused(UserdError):
    """The service refuses a call of ours, however often it is made: `problem` says why."""

    slug = "refused"

    def __init__(self, path: str, answered: int, problem: Problem | None = None) -> None:
        hint = "; does the account of this service have the permission?" if answered == 403 else ""
        super().__init__(f"{path} answered {answered}{_told(problem)}{hint}")
        self.answered, self.problem = answered, problem


def _told(problem: Problem | None) -> str:
    return f": {problem}" if problem else ""


class CursorExpired(UserdError):
    """The events behind the stored cursor are gone: read what you know anew, then start without one."""


class InvalidWebhook(UserdError):
    """The call is not genuine, or too old: 400."""

    status = 400
    slug = "invalid_webhook"


ANSWERS = (InvalidToken, Forbidden, Unavailable, InvalidWebhook)
"""What says something of the caller or of the moment. The others are faults of the application, for whoever runs it."""
