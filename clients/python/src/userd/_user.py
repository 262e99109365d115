"""An account, as services see it that may read accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Unavailable


@dataclass(frozen=True, slots=True)
class User:
    """What `GET /v1/users/{id}` answers."""

    id: str
    status: str
    """`active`, `blocked` or `deleted`."""
    username: str | None
    email: str | None
    email_verified: bool
    display_name: str | None
    locale: str | None
    roles: frozenset[str]
    members: Mapping[str, Any] = field(repr=False)
    """Everything that was answered."""


def user_of(body: Any) -> User:
    try:
        return User(
            id=str(body["id"]),
            status=str(body["status"]),
            username=body.get("username"),
            email=body.get("email"),
            email_verified=body.get("email_verified") is True,
            display_name=body.get("display_name"),
            locale=body.get("locale"),
            roles=frozenset(body.get("roles") or ()),
            members=body,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unavailable("not an account") from error
