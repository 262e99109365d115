"""Says once, when it begins and when it ends, that tokens cannot be verified as they should: the logger `userd`."""

import logging

from ._settings import Settings

log = logging.getLogger("userd")
_THEN = {
    "refuse": "tokens are answered 503",
    "accept": "tokens are trusted by their signature alone",
    "introspect": "userd is asked about each token",
}


class Watch:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Of each thing, what is wrong with it.
        self._wrong: dict[str, str] = {}

    def is_wrong(self, what: str, reason: str, message: str) -> None:
        """`what` is not well, by this reason."""
        if self._wrong.get(what) != reason:
            self._wrong[what] = reason
            log.warning("%s", message)

    def is_well(self, what: str, message: str) -> None:
        if self._wrong.pop(what, None) is not None:
            log.warning("%s", message)

    def feed_fails(self, reason: str, more: object) -> None:
        told = f"{reason}: {more}" if more else reason
        then = f"once that lasts {self._settings.max_age:g} s, {_THEN[self._settings.when_stale]}"
        self.is_wrong("feed", reason, f"revocations cannot be followed ({told}); {then}")

    def feed_goes(self) -> None:
        self.is_well("feed", "revocations are followed again")

    def keys_fail(self, more: object) -> None:
        told = f"the key set of {self._settings.base} cannot be had ({more}); tokens are answered 503"
        self.is_wrong("keys", "away", told)

    def keys_are(self) -> None:
        self.is_well("keys", "the key set is there")
