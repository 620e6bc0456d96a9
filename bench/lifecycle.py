"""Start, rest, change: cold start to the first accepted connection, idle memory, hot reload with 10,000 accounts."""

import imaplib
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.appliance import PASSWORD, Running, pss_mb, sandbox, spec_text

ACCOUNTS = 10_000
RUNS = 5
DEADLINE_S = 60


def main() -> None:
    with sandbox(accounts=4) as running:
        idle_mb = pss_mb(running.pid)
    starts = []
    with TemporaryDirectory() as kept:
        for _ in range(RUNS + 1):
            with sandbox(accounts=4, state=Path(kept)) as again:
                starts.append(again.first_accept_s)
    again_s = statistics.median(starts[1:])
    print(f"cold start to all ports accepting: {again_s:.2f} s (median of {RUNS}); with a new state {starts[0]:.2f} s")
    print(f"idle, two workers: {idle_mb:.0f} MB PSS in all processes")
    with sandbox(accounts=ACCOUNTS) as running:
        took = [_reload_s(running, ACCOUNTS + number) for number in range(RUNS)]
    print(f"hot reload, {ACCOUNTS:,} accounts, save to first login: {statistics.median(took):.2f} s (median of {RUNS})")


def _reload_s(running: Running, number: int) -> float:
    """Adds one account to the spec and logs in to it."""
    started = time.perf_counter()
    running.spec.write_text(spec_text(number + 1))
    while time.perf_counter() - started < DEADLINE_S:
        client = imaplib.IMAP4("127.0.0.1", running.port("imap"))
        try:
            client.login(f"u{number}@peer.test", PASSWORD)
        except imaplib.IMAP4.error:
            time.sleep(0.02)
        else:
            return time.perf_counter() - started
        finally:
            client.shutdown()
    raise RuntimeError("the account did not appear")


if __name__ == "__main__":
    main()
