"""Questions about what others may do, and their answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import Unavailable


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may, and why."""

    allowed: bool
    reason: str


_MOST = 1_000
"""Questions that one call may have."""


def questions(checks: Iterable[tuple[str, str]]) -> Iterator[dict[str, list[dict[str, str]]]]:
    """The bodies of as many calls as it takes; none where nothing is asked."""
    asked = [{"subject": subject, "permission": permission} for subject, permission in checks]
    for start in range(0, len(asked), _MOST):
        yield {"checks": asked[start : start + _MOST]}


def one(answer: Any) -> bool:
    if not isinstance(answer, dict) or not isinstance(answer.get("allowed"), bool):
        raise Unavailable("not an answer about a permission")
    return answer["allowed"] is True


def several(answer: Any, count: int) -> list[Decision]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != count:
        raise Unavailable("not an answer about permissions")
    return [Decision(one(result), str(result.get("reason", ""))) for result in results]
