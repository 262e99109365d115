#!/usr/bin/env python3
"""What the tests took, from the report that nextest writes: each ring, then the slowest twenty.

`./test` runs it after every run, a failed one too. A script and not an xtask, because a run of three tests should not
build the chores to say that it took a second.

    tests/times.py target/nextest/default/junit.xml
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from datetime import datetime

SLOWEST = 20

# Small rooms share a ring; every other package is one, and so is every test binary of the two that have slow ones.
SHARED = dict.fromkeys(["userd-model", "userd-jose", "userd-crypto"], "model, jose, crypto") | dict.fromkeys(
    ["userd-providers", "userd-stand-ins"], "providers, stand-ins"
)
APART = {"userd", "userd-storage"}


class Test:
    def __init__(self, case):
        self.binary, self.name = case.get("classname"), case.get("name")
        self.took = float(case.get("time"))
        self.start = datetime.fromisoformat(case.get("timestamp")).timestamp()
        self.failed = case.find("failure") is not None or case.find("error") is not None
        self.flaky = case.find("flakyFailure") is not None or case.find("flakyError") is not None
        package, _, _ = self.binary.partition("::")
        self.ring = self.binary if package in APART else SHARED.get(package, package)


def clock(tests):
    """How long at least one of the tests was running."""
    total = end = 0.0
    for test in sorted(tests, key=lambda test: test.start):
        total += max(0.0, test.start + test.took - max(test.start, end))
        end = max(end, test.start + test.took)
    return total


def main(path):
    tests = [Test(case) for case in ElementTree.parse(path).iter("testcase")]
    rings = defaultdict(list)
    for test in tests:
        rings[test.ring].append(test)
    print(f"\n{'ring':<36} {'tests':>6} {'failed':>7} {'on the clock':>13} {'added up':>9}")
    for ring, members in sorted(rings.items(), key=lambda entry: -clock(entry[1])) + [("together", tests)]:
        failed = sum(test.failed for test in members)
        added = sum(test.took for test in members)
        print(f"{ring:<36} {len(members):>6} {failed:>7} {clock(members):>12.1f}s {added:>8.1f}s")
    for test in (test for test in tests if test.flaky):
        print(f"\nFLAKY (failed, then passed; mend it): {test.binary} {test.name}")
    print(f"\nthe slowest {min(SLOWEST, len(tests))}")
    for test in sorted(tests, key=lambda test: -test.took)[:SLOWEST]:
        print(f"{test.took:>8.1f}s  {test.binary} {test.name}{'  FAILED' if test.failed else ''}")


if __name__ == "__main__":
    main(*sys.argv[1:])
