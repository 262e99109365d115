"""What sync and async code have in common: the state, and every decision. Those two only carry bytes."""

import hashlib
import threading
import time
from typing import Any, Literal

import httpx

from . import _verify
from ._feed import Feed
from ._keys import KeySet, parse
from ._settings import Settings
from ._token import Token
from ._view import FeedStatus, View
from ._watch import Watch
from .errors import CredentialsRefused, InvalidToken, Problem, Refused, Unavailable, UserdError

Standing = Literal["good", "ask"]


class Core:
    def __init__(self, settings: Settings, keys: dict[str, Any] | None) -> None:
        self.settings = settings
        self.keys = KeySet(parse(keys), is_fixed=True) if keys is not None else KeySet()
        self.view = View(settings.max_entries)
        self.feed = Feed(self.view, settings.wait)
        self.watch = Watch(settings)
        self._own: dict[str, OwnToken] = {}
        self._remembered: dict[bytes, Token] = {}
        self._lock = threading.Lock()

    def verify(self, text: str, now: float) -> Token:
        """The token by its signature and its claims. One that was verified before is only asked for its times."""
        digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        token = self._remembered.get(digest)
        if token is not None and self.keys.get(token.key_id) is not None:
            _verify.check_times(token, self.settings, now)
            return token
        try:
            token = _verify.verify(text, self.keys, self.settings, now)
        except InvalidToken as error:
            if error.reason == "issuer":
                self.watch.is_wrong("issuer", str(error), str(error))
            raise
        with self._lock:
            while len(self._remembered) >= self.settings.max_tokens:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[digest] = token
        return token

    def standing(self, token: Token, clock: float) -> Standing:
        """Whether it was revoked, as far as the view goes; `ask` where the service must be asked."""
        if self.view.forbids(token):
            raise InvalidToken("revoked")
        if not self.settings.follows or self.settings.when_stale == "accept":
            return "good"
        if self.view.age(clock) <= self.settings.max_age:
            return "good"
        if self.settings.when_stale == "introspect":
            return "ask"
        raise Unavailable("the view of revocations is too old")

    def introspected(self, answer: Any, token: Token) -> Token:
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise Unavailable("not an answer about a token")
        if answer["active"] is not True or answer.get("jti") != token.token_id:
            raise InvalidToken("revoked")
        return token

    def took_keys(self, answer: httpx.Response, clock: float) -> None:
        """Takes a new key set. What is remembered of another one is forgotten."""
        before = {kid: key.jwk.key for kid, key in self.keys.keys.items()}
        self.keys.replace(answer.raise_for_status().json(), answer.headers, clock)
        self.watch.keys_are()
        if before.keys() != self.keys.keys.keys():
            with self._lock:
                self._remembered.clear()

    def keys_failed(self, error: Exception, clock: float) -> None:
        """What is known stays. Where nothing is, nobody can be verified."""
        if not self.keys.is_usable(clock):
            self.watch.keys_fail(repr(error))

    def took_feed(self, answer: httpx.Response, took: float) -> float:
        """Takes an answer of the feed: how long to pause."""
        if answer.status_code == 410:
            return self.feed.restart()
        if answer.status_code == 401:
            # The revocation can be of the key that signed our own token.
            self.own().drop()
        if answer.status_code != 200:
            self.watch.feed_fails(str(answer.status_code), problem_of(answer))
            return self.feed.failed(str(answer.status_code), retry_after(answer))
        try:
            pause, key_revoked = self.feed.answered(answer.json(), time.time(), time.monotonic(), took)
        except (ValueError, KeyError, TypeError) as error:
            self.watch.feed_fails("nonsense", repr(error))
            return self.feed.failed("nonsense")
        if key_revoked:
            self.keys.expire()
        self.watch.feed_goes()
        return pause

    def feed_failed(self, error: Exception) -> float:
        """There is no answer of the feed: how long to pause."""
        reason = "unreachable"
        if isinstance(error, CredentialsRefused):
            reason = "credentials"
        elif isinstance(error, Refused):
            reason = str(error.answered)
        cause = error.__cause__
        told = str(error) if isinstance(error, UserdError) else repr(error)
        self.watch.feed_fails(reason, f"{told}: {cause!r}" if cause else told)
        return self.feed.failed(reason)

    def status(self) -> FeedStatus:
        return self.feed.status(time.monotonic())

    def feed_request(self) -> dict[str, Any]:
        timeout = httpx.Timeout(self.settings.timeout, read=self.settings.wait + self.settings.timeout)
        return {"params": self.feed.query(), "timeout": timeout}

    def own(self, resource: str = "") -> "OwnToken":
        """The own token for another service, or for userd."""
        resource = resource or self.settings.userd_audience
        with self._lock:
            return self._own.setdefault(resource, OwnToken(resource, resource == self.settings.userd_audience))

    def token_request(self, resource: str | None) -> dict[str, Any]:
        more = {"resource": resource} if resource is not None else {}
        return {"data": {"grant_type": "client_credentials"} | more, "auth": self.basic()}

    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.settings.client_id, self.settings.client_secret)


class OwnToken:
    """An access token of the service account for one resource, renewed before it ends. Times are of a monotonic clock."""

    def __init__(self, resource: str = "userd", is_for_userd: bool = True) -> None:
        self.resource = resource
        self._is_for_userd = is_for_userd
        # Whether a thread is renewing it while it is still good.
        self.renewing = threading.Lock()
        self._text = ""
        self._good_until = self._renew_at = 0.0

    def usable(self, clock: float) -> str | None:
        return self._text if clock < self._good_until else None

    def is_due(self, clock: float) -> bool:
        return clock >= self._renew_at

    def goes_by_another_name(self, answer: httpx.Response) -> bool:
        """A userd that knows no such resource: what the account gets by itself is for it, as a rule."""
        problem = problem_of(answer)
        return self._is_for_userd and problem is not None and problem.slug == "invalid_target"

    def took(self, answer: httpx.Response, clock: float) -> str:
        if answer.status_code == 401:
            raise CredentialsRefused(problem_of(answer))
        must_be_good(answer, "/oauth2/token")
        try:
            body = answer.json()
            text, lifetime = body["access_token"], float(body["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("no token of our own: the service answered nonsense") from error
        self._text = str(text)
        self._good_until, self._renew_at = clock + lifetime * 0.95, clock + lifetime * 0.75
        return self._text

    def postpone(self, clock: float) -> None:
        """Renewal failed and the token is still good: once more a little later."""
        self._renew_at = clock + 1.0

    def drop(self) -> None:
        self._good_until = self._renew_at = 0.0


def must_be_good(answer: httpx.Response, path: str) -> httpx.Response:
    """What a call with our own token came to. 410 is for whoever asked."""
    status = answer.status_code
    if 200 <= status < 300 or status == 410:
        return answer
    if 400 <= status < 500 and status not in (401, 408, 429):
        raise Refused(path, status, problem_of(answer))
    raise Unavailable(f"{path} answered {status}", status, problem_of(answer))


def read(answer: httpx.Response, path: str) -> Any:
    """The JSON of an answer; None where there is none."""
    if answer.status_code == 410:
        raise Refused(path, 410, problem_of(answer))
    try:
        return answer.json() if answer.content else None
    except ValueError as error:
        raise Unavailable(f"{path} answered nonsense") from error


def problem_of(answer: httpx.Response) -> Problem | None:
    """What an answer that is an error says of itself; None where it says nothing that can be read."""
    try:
        said = None if answer.is_success else answer.json()
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None

    def text(name: str) -> str:
        return value if isinstance(value := said.get(name), str) else ""

    kind = text("type") or text("error_uri")
    slug = text("error") or kind.rpartition("/")[2]
    fields = said.get("errors")
    errors = tuple(field for field in fields if isinstance(field, dict)) if isinstance(fields, list) else ()
    title = text("title") or text("error_description")
    return Problem(kind, slug, title, text("detail"), errors) if slug else None


def introspection(answer: httpx.Response) -> Any:
    """What userd says about a token. Whatever else it answers, the token cannot be judged now."""
    if answer.status_code == 401:
        raise CredentialsRefused(problem_of(answer))
    if not answer.is_success:
        raise Unavailable(f"/oauth2/introspect answered {answer.status_code}", answer.status_code, problem_of(answer))
    try:
        return answer.json()
    except ValueError as error:
        raise Unavailable("/oauth2/introspect answered nonsense") from error


def retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def bearer(header: str | None) -> str:
    """The token of an `Authorization` header."""
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise InvalidToken("missing")
    return text.strip()
