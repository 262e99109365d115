"""What the tests stand on: a real service for those that want one, and Django with the settings of a small site."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))

from service import Service  # noqa: E402


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with Service() as service:
        yield service
