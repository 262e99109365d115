"""For FastAPI: dependencies that answer 401, 403 and 503, and show in the OpenAPI page as bearer authentication."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ._async import AsyncUserd
from ._token import Token
from .errors import ANSWERS, InvalidToken, UserdError
from .starlette import answer

_bearer = HTTPBearer(auto_error=False, description="An access token")
_Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Auth:
    """`Depends(auth)` is the caller's token; `auth.role(...)` and `auth.permission(...)` ask for more."""

    def __init__(self, app: FastAPI, userd: AsyncUserd) -> None:
        """`Refused` and what else is no answer to the caller stays an error: the server logs it and answers 500."""
        self.userd = userd
        for kind in ANSWERS:
            app.add_exception_handler(kind, _refused)

    async def __call__(self, shown: _Shown) -> Token:
        if shown is None:
            raise InvalidToken("missing")
        return await self.userd.verify(shown.credentials)

    def role(self, *roles: str) -> "_Guard":
        """One of these roles."""
        return _Guard(self, roles, ())

    def permission(self, *permissions: str) -> "_Guard":
        """All of these permissions."""
        return _Guard(self, (), permissions)


class _Guard:
    def __init__(self, auth: Auth, roles: tuple[str, ...], permissions: tuple[str, ...]) -> None:
        self._auth, self._roles, self._permissions = auth, roles, permissions

    async def __call__(self, shown: _Shown) -> Token:
        token = await self._auth(shown)
        if self._roles:
            token.require_role(*self._roles)
        token.require_permission(*self._permissions)
        return token


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, UserdError)
    status, headers, body = answer(error)
    return Response(body, status, headers)
