"""The client library under test: a program that reads a line of JSON and answers one."""

import json
import queue
import subprocess
import threading
from contextlib import suppress
from typing import Any, Self


class Agent:
    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, do: str, **what: Any) -> Any:
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do} | what) + "\n")
            self._process.stdin.flush()
        try:
            line = self._answers.get(timeout=60)
        except queue.Empty:
            raise SystemExit(f"no answer to {do}") from None
        if not line:
            raise SystemExit(f"the client library ended at {do}")
        return json.loads(line)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")


def verdict(answer: Any) -> str:
    """`ok`, why the token is not good, or `unavailable`."""
    if "error" not in answer:
        return "ok"
    return str(answer.get("reason") or answer["error"])
