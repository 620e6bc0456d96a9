"""JMAP on a mailbox of 10,000 messages: server CPU an operation and wall p50, beside Cyrus in the same run, in turns.

`python -m bench jmap_large` does the same with 100,000. The budgets are BUDGETS.md's; a rival's fill is kept between
runs, and its index of words, which takes it a minute for 10,000 messages.
"""

import base64
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.appliance import DOMAIN, PASSWORD, PEERS, cpu_s, cyrus, fill, index_cyrus, sandbox

RUNS = 3
SECONDS = 1.0
ACCOUNT = 90
CYRUS_IMAP, CYRUS_HTTP = 11_143, 11_080
MANY = 100
BUDGET_P50_MS = 5.0
OPERATIONS = ("session", "list50", "page50", "query", "get50", "getbody", "keywords")
SEARCHES = ("search_text", "search_subject")
LAST = ("upload_import",)
"""What it brings is indexed some ten seconds later, while the other one has its turn."""
INDEXED = 10_000
"""More messages than that the rival indexes for a quarter of an hour: there it is not asked for words."""
_BUDGETS_MS = {
    "session": 1, "list50": 5, "page50": 5, "query": 2, "get50": 4, "getbody": 1.5, "keywords": 1.5,
    "upload_import": 3, "search_text": 5, "search_subject": 5,
}  # fmt: skip
# Nothing is said of searches in so many.
_LARGE_MS = {name: budget for name, budget in _BUDGETS_MS.items() if name not in SEARCHES}
BUDGETS_MS = {10_000: _BUDGETS_MS, 100_000: {**_LARGE_MS, "list50": 6, "page50": 6, "query": 4}}

Figures = dict[str, list[tuple[float, float]]]
"""By operation: CPU and wall p50 in ms, of each run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """session: the path. root: the pid of its first process."""

    port: int
    user: str
    session: str
    root: int
    operations: Sequence[str]


def main() -> None:
    measure(10_000)


def measure(messages: int) -> None:
    if not PEERS.exists():
        print("no load tools at ../shared/peers: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder, cyrus() as rival:
        state = Path(folder) / "state"
        with sandbox(state=state) as running:
            fill(running.port("imap"), f"u{{}}@{DOMAIN}", ACCOUNT, messages)
        peers: dict[str, Peer] = {}
        if rival is not None:
            account = ACCOUNT if messages == 10_000 else ACCOUNT + 1
            fill(CYRUS_IMAP, "u{}", account, messages)
            is_indexed = messages <= INDEXED
            if is_indexed:
                index_cyrus(f"u{account}")
            root = int(Path(rival).read_text())
            operations = OPERATIONS + SEARCHES if is_indexed else OPERATIONS
            peers["Cyrus"] = Peer(
                port=CYRUS_HTTP, user=f"u{account}", session="/jmap/", root=root, operations=operations
            )
        with sandbox(state=state) as running:
            user = f"u{ACCOUNT}@{DOMAIN}"
            peers["mailstack"] = Peer(
                port=running.port("http"),
                user=user,
                session="/jmap/session",
                root=running.pid,
                operations=OPERATIONS + SEARCHES,
            )
            _table(messages, _figures(peers))


def _figures(peers: dict[str, Peer]) -> dict[str, Figures]:
    figures: dict[str, Figures] = {name: {} for name in peers}
    for number in range(RUNS + 1):
        for name, peer in peers.items():
            for operation, cost in {f"keywords{MANY}": _many_keywords(peer), **_load(peer)}.items():
                if number:  # the first round warms both up
                    figures[name].setdefault(operation, []).append(cost)
    return figures


def _load(peer: Peer) -> dict[str, tuple[float, float]]:
    """Raises when an operation failed."""
    command = [sys.executable, str(PEERS / "jmapload.py"), "--port", str(peer.port), "--user", peer.user]
    command += ["--session", peer.session, "--srv", str(peer.root), "--seconds", str(SECONDS), "--quickack"]
    done = subprocess.run([*command, *peer.operations, *LAST], capture_output=True, text=True, check=False, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or any("error" in line for line in lines):
        raise RuntimeError(done.stdout + done.stderr)
    return {line["op"].removeprefix("jmap:"): (line["srv_cpu_ms_op"], line["ms_p50"]) for line in lines}


def _many_keywords(peer: Peer) -> tuple[float, float]:
    """Email/set of a keyword of many messages, on and off."""
    chosen = random.Random(2)
    with closing(HTTPConnection("127.0.0.1", peer.port, timeout=60)) as connection:
        client = _Client(connection, peer)
        query = client.call("Email/query", {"sort": [{"property": "receivedAt", "isAscending": False}], "limit": 1_000})
        waits: list[float] = []
        before, began = cpu_s(peer.root), time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            keyword = True if len(waits) % 2 == 0 else None
            update = {each: {"keywords/$flagged": keyword} for each in chosen.sample(query["ids"], MANY)}
            since = time.perf_counter()
            if len(client.call("Email/set", {"update": update})["updated"]) != MANY:
                raise RuntimeError("not all were changed")
            waits.append((time.perf_counter() - since) * 1_000)
        return (cpu_s(peer.root) - before) * 1_000 / len(waits), statistics.median(waits)


class _Client:
    def __init__(self, connection: HTTPConnection, peer: Peer) -> None:
        token = base64.b64encode(f"{peer.user}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._connection = connection
        session = self._ask("GET", peer.session, None)
        self._api = urlsplit(session["apiUrl"]).path
        self._account_id = session["primaryAccounts"]["urn:ietf:params:jmap:mail"]

    def call(self, name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
        asked = [[name, {"accountId": self._account_id, **arguments}, "0"]]
        using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
        return self._ask("POST", self._api, {"using": using, "methodCalls": asked})["methodResponses"][0][1]

    def _ask(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401  # JSON
        self._connection.request(method, path, json.dumps(body) if body else None, self._headers)
        return json.loads(self._connection.getresponse().read())


def _table(messages: int, figures: dict[str, Figures]) -> None:
    print(f"{messages:,} messages: server CPU ms an operation (wall p50 ms), medians of {RUNS} rounds in turn")
    print(f"{'operation':16}{'mailstack':>18}{'budget':>8}{'Cyrus':>18}{'ratio':>7}")
    for name, ours in figures["mailstack"].items():
        cpu, wall = _medians(ours)
        budget = BUDGETS_MS[messages].get(name)
        theirs = figures.get("Cyrus", {}).get(name)
        rival = f"{_shown(*_medians(theirs))}{_medians(theirs)[0] / cpu:7.1f}" if theirs else f"{'–':>18}{'':7}"
        over = "   above the budget" if budget is not None and cpu > budget else ""
        over += f"   p50 above {BUDGET_P50_MS} ms" if name == "list50" and wall > BUDGET_P50_MS else ""
        print(f"{name:16}{_shown(cpu, wall)}{budget or '–':>8}{rival}{over}", flush=True)


def _medians(costs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(cpu for cpu, _ in costs), statistics.median(wall for _, wall in costs)


def _shown(cpu: float, wall: float) -> str:
    return f"{f'{cpu:.2f} ({wall:.1f})':>18}"


if __name__ == "__main__":
    main()
