"""For Django: `userd.django.UserdMiddleware` in `MIDDLEWARE`, and `USERD = {"issuer": ..., "audience": ...}` in the
settings, with the names of `userd.Settings`. Views find the token in `request.userd_token`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ._settings import Settings
from ._sync import Userd
from ._token import Token
from .errors import ANSWERS, InvalidToken, UserdError
from .starlette import answer

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class UserdMiddleware:
    """A bad token is refused at once; who shows none comes through with `None`, and the decorators refuse them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        configured: Any = settings.USERD
        is_ready = isinstance(configured, Userd)
        self.userd: Userd = configured if is_ready else Userd("", settings=Settings(**configured))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token: Token | None = None
        try:
            token = self.userd.authenticate(request.headers.get("Authorization"))
        except UserdError as error:
            if not (isinstance(error, InvalidToken) and error.reason == "missing"):
                return _refused(error)
        setattr(request, "userd_token", token)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """`token.require_permission` may be called anywhere in a view."""
        return _refused(exception) if isinstance(exception, ANSWERS) else None


def token_of(request: HttpRequest) -> Token:
    """The caller's token; 401 where there is none."""
    token: Token | None = getattr(request, "userd_token", None)
    if token is None:
        raise InvalidToken("missing")
    return token


def signed_in(view: View) -> View:
    """The view is for callers with a token."""
    return _guard(lambda _: None)(view)


def role(*roles: str) -> Callable[[View], View]:
    """The view is for callers with one of these roles."""
    return _guard(lambda token: token.require_role(*roles))


def permission(*permissions: str) -> Callable[[View], View]:
    """The view is for callers with all of these permissions."""
    return _guard(lambda token: token.require_permission(*permissions))


def _guard(check: Callable[[Token], None]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            check(token_of(request))
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def _refused(error: UserdError) -> HttpResponse:
    status, headers, body = answer(error)
    return HttpResponse(body, status=status, headers=headers)
