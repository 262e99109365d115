"""Holds a client library to the suite: `run.py NAME COMMAND…`, where the command is its agent; see README.md."""

import os
import queue
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import real
import suite
from agent import Agent

# Scenarios wait for most of their time, so several run beside each other.
AGENTS = 8


def main() -> int:
    name, *command = sys.argv[1:]
    only = os.environ.get("ONLY", "")
    began = time.monotonic()
    checks: list[tuple[str, Callable[[Agent], int]]] = [
        ("the real service", real.service),
        *((scenario["name"], suite.scenario(scenario)) for scenario in suite.scenarios()),
        ("tokens", suite.tokens),
        ("calls and webhooks", suite.calls),
    ]
    checks = [check for check in checks if only in check[0]]
    with ExitStack() as stack, ThreadPoolExecutor(AGENTS) as pool:
        agents: queue.SimpleQueue[Agent] = queue.SimpleQueue()
        for _ in range(min(AGENTS, len(checks))):
            agents.put(stack.enter_context(Agent(command)))
        counts = list(pool.map(lambda check: one(name, check[0], check[1], agents, command, stack), checks))
    failed = counts.count(None)
    passed = sum(count for count in counts if count is not None)
    print(f"{name}: {passed} passed, {failed} failed, {time.monotonic() - began:.1f} s", flush=True)
    return 1 if failed or not passed else 0


def one(
    name: str,
    what: str,
    check: Callable[[Agent], int],
    agents: "queue.SimpleQueue[Agent]",
    command: list[str],
    stack: ExitStack,
) -> int | None:
    """How many cases passed; None where one failed."""
    agent = agents.get()
    try:
        return check(agent)
    except (suite.Failed, SystemExit) as wrong:
        print(f"{name}: FAILED: {what}\n  {wrong}", flush=True)
        # Nobody knows what state it is in.
        agent = stack.enter_context(Agent(command))
        return None
    finally:
        agents.put(agent)


if __name__ == "__main__":
    sys.exit(main())
