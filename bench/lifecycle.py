"""Start, rest, change: cold start to the first accepted connection, idle memory, hot reload with 10,000 accounts.

The reload is that of `mailstack serve`: from saving the file to the first mail that is taken for the new account.
"""

import smtplib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.appliance import cpu_s, free_base_port, pss_mb, sandbox

ACCOUNTS = 10_000
DOMAINS = 500
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
    with _serve(ACCOUNTS) as served:
        took = [_reload(served, ACCOUNTS + number) for number in range(RUNS)]
    walls, cpus = zip(*took, strict=True)
    print(
        f"hot reload, {ACCOUNTS:,} accounts, {DOMAINS} domains, save to first mail taken:"
        f" {statistics.median(walls):.2f} s, CPU {statistics.median(cpus):.2f} s (median of {RUNS})"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    process: "subprocess.Popen[bytes]"
    spec: Path
    port: int


@contextmanager
def _serve(accounts: int) -> Iterator[_Served]:
    with TemporaryDirectory() as folder:
        port = free_base_port() + 25
        spec = Path(folder) / "mailstack.yaml"
        spec.write_text(_spec_text(accounts, port))
        command = [str(Path(sys.executable).with_name("mailstack")), "serve", str(spec)]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        served = _Served(process=process, spec=spec, port=port)
        try:
            _wait_until_taken(served, accounts - 1)
            yield served
        finally:
            process.terminate()
            process.wait(30)


def _reload(served: _Served, number: int) -> tuple[float, float]:
    """Adds one account to the spec; wall and CPU seconds until mail for it is taken."""
    text = _spec_text(number + 1, served.port)
    started, before_s = time.perf_counter(), cpu_s(served.process.pid)
    served.spec.write_text(text)
    _wait_until_taken(served, number)
    return time.perf_counter() - started, cpu_s(served.process.pid) - before_s


def _wait_until_taken(served: _Served, number: int) -> None:
    end = time.perf_counter() + DEADLINE_S
    while time.perf_counter() < end:
        try:
            with smtplib.SMTP("127.0.0.1", served.port) as client:
                client.ehlo("client.example")
                client.mail("x@client.example")
                if client.rcpt(_address(number))[0] == 250:
                    return
        except OSError:
            pass  # it is still starting
        time.sleep(0.02)
    raise RuntimeError("the account did not appear")


def _spec_text(accounts: int, port: int) -> str:
    off = ", ".join(
        f"{name}: []" for name in ("submission", "submissions", "imap", "imaps", "managesieve", "http", "https")
    )
    lines = [
        f"server: {{hostname: mail.peer.test, workers: 2, listeners: {{smtp: ['127.0.0.1:{port}'], {off}}}}}",
        "storage: {path: state}",
        "domains:",
        *(f"  d{number}.peer.test: {{dkim: {{algorithms: [ed25519]}}}}" for number in range(DOMAINS)),
        "accounts:",
        *(f"  {_address(number)}: {{}}" for number in range(accounts)),
    ]
    return "\n".join(lines) + "\n"


def _address(number: int) -> str:
    return f"u{number}@d{number % DOMAINS}.peer.test"


if __name__ == "__main__":
    main()
