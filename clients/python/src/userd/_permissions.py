"""Questions about what others may do, and their answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .errors import Unavailable


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may, and why."""

    allowed: bool
    reason: str


def question(checks: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {"checks": [{"subject": subject, "permission": permission} for subject, permission in checks]}


def one(answer: Any) -> bool:
    if not isinstance(answer, dict) or not isinstance(answer.get("allowed"), bool):
        raise Unavailable("not an answer about a permission")
    return answer["allowed"] is True


def several(answer: Any, count: int) -> list[Decision]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != count:
        raise Unavailable("not an answer about permissions")
    return [Decision(one(result), str(result.get("reason", ""))) for result in results]
