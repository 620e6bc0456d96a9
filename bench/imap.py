"""IMAP on a mailbox of 10,000 messages: server CPU an operation, beside Dovecot (Maildir) in the same run.

The load tool counts what comes back. `python -m bench imap_large` does the same with 100,000. The budgets are
BUDGETS.md's; a rival's fill is kept between runs.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.appliance import DOMAIN, PEERS, cpu_s, dovecot, pss_mb, sandbox

RUNS = 3
ACCOUNT, SPARE_ACCOUNT = 90, 80
DOVECOT_IMAP = 10143
IDLE_CONNECTIONS = 1_000
# Listings of the whole mailbox are run a few times, small operations for a second.
WHOLE = ("flags", "envelope", "headers", "storeall", "search_text", "search_body")
SMALL = ("login", "select", "status", "list50", "body", "search_subject", "search_since", "search_unseen", "store")

Figures = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """servers: pids or pid files, as the load tools take them."""

    port: int
    users: str
    servers: str


BUDGETS_MS = {
    10_000: {
        "login": 3, "select": 0.3, "status": 0.15, "flags": 6, "envelope, first": 25, "envelope": 25, "headers": 30,
        "list50": 0.6, "body": 0.25, "search_subject": 3, "search_since": 2, "search_unseen": 1, "search_text": 5,
        "search_body": 5, "store": 0.5, "storeall": 100, "append": 0.8,
    },
    100_000: {
        "login": 5, "select": 0.5, "status": 0.2, "flags": 60, "envelope, first": 250, "envelope": 250, "headers": 300,
        "list50": 0.6, "body": 0.3, "search_subject": 20, "search_since": 20, "search_unseen": 8, "search_text": 40,
        "search_body": 40, "store": 0.5, "storeall": 1_000, "append": 0.8,
    },
}  # fmt: skip


def main() -> None:
    measure(10_000)


def measure(messages: int) -> None:
    if not PEERS.exists():
        print("no load tools at ../shared/peers: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder, dovecot() as rival:
        state = Path(folder) / "state"
        with sandbox(state=state) as running:
            _load(Peer(port=running.port("imap"), users="u{}", servers=str(running.pid)), "fill", count=messages)
        theirs = None
        if rival is not None:
            peer = Peer(port=DOVECOT_IMAP, users="u{}", servers=rival)
            _load(peer, "fill", count=messages, account=_rival_account(messages))
            theirs = (peer, _rival_account(messages))
        with sandbox(state=state) as running:
            ours = (Peer(port=running.port("imap"), users="u{}", servers=str(running.pid)), ACCOUNT)
            _table(messages, _figures(*ours), _figures(*theirs) if theirs else {})
            _idle(running.pid, ours[0])
        print(f"disk: {_largest_account(state) / messages:,.0f} B a message, index included")


def _largest_account(state: Path) -> int:
    """Bytes of its folder: the one that was filled."""
    folders = (state / "accounts").glob("*/*")
    return max(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) for folder in folders)


def _rival_account(messages: int) -> int:
    return ACCOUNT if messages == 10_000 else ACCOUNT + 1


def _figures(peer: Peer, account: int) -> Figures:
    figures: Figures = {"envelope, first": [_load(peer, "envelope", count=1, account=account)["envelope"]]}
    for _ in range(RUNS):
        for operations, options in ((SMALL, {"seconds": 1}), (WHOLE, {"count": 3})):
            for name, cost in _load(peer, *operations, account=account, **options).items():
                figures.setdefault(name, []).append(cost)
        for name, cost in _load(peer, "append", account=SPARE_ACCOUNT, seconds=1).items():
            figures.setdefault(name, []).append(cost)
    return figures


def _load(peer: Peer, *operations: str, account: int = ACCOUNT, **options: int) -> dict[str, float]:
    """Server CPU in ms for each operation; raises when one failed."""
    command = [sys.executable, str(PEERS / "imapload.py"), "--port", str(peer.port), "--users", peer.users]
    command += ["--first", str(account), "--srv", peer.servers]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run([*command, *operations], capture_output=True, text=True, check=False, timeout=1_800)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or any("error" in line for line in lines):
        raise RuntimeError(done.stdout + done.stderr)
    return {line["op"]: line["srv_cpu_ms_op"] for line in lines if "srv_cpu_ms_op" in line}


def _table(messages: int, ours: Figures, theirs: Figures) -> None:
    print(f"{messages:,} messages, u{ACCOUNT}@{DOMAIN}: server CPU ms an operation, median of {RUNS}")
    print(f"{'operation':18}{'mailstack':>12}{'budget':>10}{'Dovecot':>12}")
    for name, budget in BUDGETS_MS[messages].items():
        mine = statistics.median(ours[name])
        rival = f"{statistics.median(theirs[name]):12.2f}" if name in theirs else f"{'–':>12}"
        print(f"{name:18}{mine:12.2f}{budget:10}{rival}{'' if mine <= budget else '   above the budget'}", flush=True)


def _idle(pid: int, peer: Peer) -> None:
    command = [sys.executable, str(PEERS / "imapload.py"), "--port", str(peer.port), "--first", "0", "--nusers", "100"]
    command += ["--conns", str(IDLE_CONNECTIONS), "--srv", peer.servers, "idleconns"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    figures = json.loads(done.stdout)
    before = cpu_s(pid)
    print(
        f"{IDLE_CONNECTIONS} idle connections of 100 accounts: {figures['pss_mb_per_1000']} MB more (budget 25);"
        f" {pss_mb(pid):.0f} MB and {before:.1f} s CPU in all afterwards"
    )


if __name__ == "__main__":
    main()
