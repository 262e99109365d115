"""What the application says once."""

from dataclasses import dataclass, field
from typing import Literal

WhenStale = Literal["refuse", "accept", "introspect"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Which service is trusted, and how. Times are seconds."""

    issuer: str
    """`iss` of the tokens."""
    audience: str = "userd"
    """`aud` that tokens must be for: this service."""
    base_url: str = ""
    """Where the service answers, when that is not the issuer (inside a cluster)."""
    client_id: str = ""
    """The service account. Without it revocations are not followed: a token is good until it expires."""
    client_secret: str = field(default="", repr=False)
    leeway: float = 10
    """How far clocks may be apart, at most 60."""
    when_stale: WhenStale = "refuse"
    """What happens while the view of revocations is too old: 503, trust in the signature alone, or a question a token."""
    max_age: float = 30
    """How old the view may be; more than `wait`."""
    wait: int = 10
    """How long one question for revocations is held, 1 to 25."""
    timeout: float = 5
    """The longest any other call may take."""
    max_entries: int = 100_000
    """Revocations that are kept. Beyond it the oldest are replaced by one that refuses more than they did."""
    max_tokens: int = 10_000
    """Verified tokens that are remembered, so that each is verified once."""
    userd_audience: str = "userd"
    """The audience of userd itself, the first of its `tokens.audience`: the own token is asked for it."""

    def __post_init__(self) -> None:
        if not self.issuer.startswith(("https://", "http://")):
            raise ValueError("issuer must be an http(s) URL")
        if not self.audience or not self.userd_audience:
            raise ValueError("an audience must not be empty")
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("client_id and client_secret go together")
        if self.when_stale not in ("refuse", "accept", "introspect"):
            raise ValueError("when_stale is refuse, accept or introspect")
        if not 0 <= self.leeway <= 60:
            raise ValueError("leeway is 0 to 60 seconds")
        if not 1 <= self.wait <= 25 or self.max_age <= self.wait:
            raise ValueError("wait is 1 to 25 seconds, and max_age more than it")
        if self.max_entries < 16:
            raise ValueError("max_entries is 16 or more")

    @property
    def base(self) -> str:
        return (self.base_url or self.issuer).rstrip("/")

    @property
    def follows(self) -> bool:
        return bool(self.client_id)
