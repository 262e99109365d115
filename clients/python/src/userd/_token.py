"""A verified token, as code that decides about access wants it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Forbidden


@dataclass(frozen=True, slots=True)
class Token:
    """Who calls, and what they may do."""

    subject: str
    """The id of the user, or of the service account."""
    client_id: str
    session_id: str | None
    """None for a service account."""
    token_id: str
    issued_at: int
    expires_at: int
    version: int
    roles: frozenset[str]
    role_versions: Mapping[str, int]
    """Of its roles, the version of what each allowed; a role that the token says none of is not among them."""
    permissions: frozenset[str]
    key_id: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    """Everything that the token says."""

    @property
    def is_service(self) -> bool:
        return self.session_id is None

    def has_role(self, *roles: str) -> bool:
        """Whether it has one of these roles."""
        return not self.roles.isdisjoint(roles)

    def has_permission(self, *permissions: str) -> bool:
        """Whether it has all of these permissions."""
        return self.permissions.issuperset(permissions)

    def require_role(self, *roles: str) -> None:
        """Raises `Forbidden` unless it has one of these roles."""
        if not self.has_role(*roles):
            raise Forbidden(f"needs the role {' or '.join(roles)}")

    def require_permission(self, *permissions: str) -> None:
        """Raises `Forbidden` unless it has all of these permissions."""
        if not self.has_permission(*permissions):
            raise Forbidden(f"needs the permission {' and '.join(permissions)}")
