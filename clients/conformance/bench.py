"""What verification costs in a client library against the bare JWT library, and how soon a sign-out is obeyed.

`bench.py NAME COMMAND…`, as of `run.py`; or `clients/test bench`. Times of one run, on this machine: trust the ratios.
"""

import os
import statistics
import sys
import time

from agent import Agent, verdict
from fake import CLIENT_ID, SECRET, Fake
from mint import key
from service import ADMIN, Service
from suite import must

TOKENS, ROUNDS = 500, 9
SIGN_OUTS = int(os.environ.get("ROUNDS", "1000"))


def costs(agent: Agent, algorithm: str) -> dict[str, float]:
    """Seconds a token: by the bare library; by ours for the first time; and for a token that is remembered."""
    with Fake() as fake:
        settings = {"issuer": fake.url, "audience": "userd", "client_id": CLIENT_ID, "client_secret": SECRET}
        agent.ask("open", settings=settings)
        tokens = [fake.mint({"key": algorithm}) for _ in range(TOKENS)]
        must(verdict(agent.ask("verify", token=tokens[0])) == "ok", "a good token")
        rounds = [agent.ask("bench", tokens=tokens, jwk=key(algorithm).jwk, settings=settings) for _ in range(ROUNDS)]
        agent.ask("close")
    return {what: statistics.median(one[what] for one in rounds) for what in ("bare", "first", "remembered")}


def delays(agent: Agent) -> list[float]:
    """Seconds from the answer to a sign-out to the first refusal."""
    with Service() as real:
        client_id, secret = real.client("revocations.read")
        agent.ask("open", settings={"issuer": real.url, "audience": "userd", "client_id": client_id, "client_secret": secret})
        found = []
        for _ in range(SIGN_OUTS):
            token = str(real.login(ADMIN)["access_token"])
            must(verdict(agent.ask("verify", token=token)) == "ok", "a fresh token")
            real.call("POST", "/v1/auth/logout", token=token)
            began = time.perf_counter()
            while (got := verdict(agent.ask("verify", token=token))) != "revoked":
                must(got == "ok" and time.perf_counter() - began < 10, got)
            found.append(time.perf_counter() - began)
        agent.ask("close")
    return sorted(found)


def main() -> None:
    name, algorithm, *command = sys.argv[1:]
    with Agent(command) as agent:
        cost = costs(agent, algorithm)
        delay = delays(agent)
    micro = {what: f"{seconds * 1e6:.1f} µs" for what, seconds in cost.items()}
    ratio = f"{cost['bare'] / cost['first']:.2f} | {cost['bare'] / cost['remembered']:.1f}"
    p50, p99 = (delay[int(len(delay) * share)] * 1000 for share in (0.5, 0.99))
    worst = delay[-1] * 1000
    kind = key(algorithm).algorithm
    print(f"| {name} | {kind} | {micro['bare']} | {micro['first']} | {micro['remembered']} | {ratio} ", end="")
    print(f"| {p50:.1f} ms | {p99:.1f} ms | {worst:.1f} ms |", flush=True)


if __name__ == "__main__":
    main()
