"""Accept → in the mailbox: 4 KB messages, 10 connections, 100 recipients in turn, no filters.

Server CPU per message counts; the load tool fails when a message is lost or doubled. Where the rival is installed, the
two take turns in one run, so that a slow machine is slow for both.

The full-text index follows some seconds after the mail and has a budget of its own: what a worker does after the last
message is in its mailbox is measured apart, and a round begins when the one before has come to rest.
"""

import statistics
import time
from dataclasses import dataclass, replace

from bench.appliance import PEERS, Running, cpu_s, dovecot, sandbox, smtp_load
from mailstack.app.indexer import GATHER_S

MESSAGES = 1_000
RUNS = 5
REST_POLL_S = 1.0
AT_REST_S = 0.02
"""What the processes may use between two looks and still be at rest: they look at the clock now and then."""
# ../shared/peers/lib.sh
DOVECOT_LMTP, DOVECOT_IMAP = 10024, 10143


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """afterwards_ms: indexing, and closing what was open; 0 where it is not measured."""

    cpu_ms: float
    per_second: float
    afterwards_ms: float = 0.0


def main() -> None:
    if not PEERS.exists():
        print("no load tools at ../shared/peers: nothing measured")
        return
    ours: list[Delivery] = []
    theirs: list[Delivery] = []
    with sandbox() as running, dovecot() as rival:
        _ours(running)
        for _ in range(RUNS):
            ours.append(_ours(running))
            if rival is not None:
                theirs.append(_load(DOVECOT_LMTP, DOVECOT_IMAP, rival, lmtp=True))
    _print("mailstack, SMTP", ours)
    afterwards = sorted(run.afterwards_ms for run in ours)
    print(
        f"{'afterwards: the index':24} {afterwards[0]:.2f} / {statistics.median(afterwards):.2f} / {afterwards[-1]:.2f}"
        " ms CPU a message"
    )
    if theirs:
        _print("Dovecot, LMTP direct", theirs)
        ratio = _median_cpu(theirs) / _median_cpu(ours)
        print(f"Dovecot's server CPU is {ratio:.1f} times ours (medians {_median_cpu(theirs)}, {_median_cpu(ours)} ms)")


def _ours(running: Running) -> Delivery:
    result = _load(running.port("smtp"), running.port("imap"), str(running.pid))
    before_s = cpu_s(running.pid)
    wait_for_rest(running.pid)
    return replace(result, afterwards_ms=(cpu_s(running.pid) - before_s) * 1000 / MESSAGES)


def wait_for_rest(*pids: int) -> None:
    # A worker that was gathering when the round began takes up what came after only the next time.
    time.sleep(2 * GATHER_S)
    used_s = sum(map(cpu_s, pids))
    while True:
        time.sleep(REST_POLL_S)
        before_s, used_s = used_s, sum(map(cpu_s, pids))
        if used_s - before_s <= AT_REST_S:
            return


def _load(port: int, imap_port: int, servers: str, *, lmtp: bool = False) -> Delivery:
    result = smtp_load(port=port, imap_port=imap_port, count=MESSAGES, servers=servers, lmtp=lmtp)
    return Delivery(cpu_ms=result["srv_cpu_ms_msg"], per_second=result["delivered_rate"])


def _median_cpu(runs: list[Delivery]) -> float:
    return statistics.median(run.cpu_ms for run in runs)


def _print(name: str, runs: list[Delivery]) -> None:
    cpu = sorted(run.cpu_ms for run in runs)
    rate = statistics.median(run.per_second for run in runs)
    print(f"{name:24} {cpu[0]:.2f} / {_median_cpu(runs):.2f} / {cpu[-1]:.2f} ms CPU a message, {rate:,.0f} delivered/s")


if __name__ == "__main__":
    main()
