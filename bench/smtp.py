"""Accept → in the mailbox: 4 KB messages, 10 connections, 100 recipients in turn, no filters.

Server CPU per message counts; the load tool fails when a message is lost or doubled. Where the rival is installed, the
two take turns in one run, so that a slow machine is slow for both.
"""

import statistics
from dataclasses import dataclass

from bench.appliance import PEERS, Running, dovecot, sandbox, smtp_load

MESSAGES = 1_000
RUNS = 3
# ../shared/peers/lib.sh
DOVECOT_LMTP, DOVECOT_IMAP = 10024, 10143


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    cpu_ms: float
    per_second: float


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
    if theirs:
        _print("Dovecot, LMTP direct", theirs)
        ratio = _median_cpu(theirs) / _median_cpu(ours)
        print(f"Dovecot's server CPU is {ratio:.1f} times ours (medians {_median_cpu(theirs)}, {_median_cpu(ours)} ms)")


def _ours(running: Running) -> Delivery:
    return _load(running.port("smtp"), running.port("imap"), str(running.pid))


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
