"""The whole appliance under load, and a rival in the same run where ../shared/peers is installed.

Starts `mailstack sandbox` on free ports with fixed passwords; the load tools verify that nothing is lost.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailstack.app.sandbox_state import PORTS

PEERS = Path(__file__).parent.parent.parent / "shared" / "peers"
DOMAIN = "peer.test"
PASSWORD = "pw"
START_DEADLINE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """endpoints: service name → (host, port). first_accept_s: from the start of the process to the ready file."""

    pid: int
    endpoints: dict[str, tuple[str, int]]
    state: Path
    spec: Path
    first_accept_s: float

    def port(self, service: str) -> int:
        return self.endpoints[service][1]


def spec_text(accounts: int, *, workers: int = 2) -> str:
    lines = [
        "apiVersion: mailstack/v1",
        f"server: {{hostname: mail.{DOMAIN}, workers: {workers}, limits: {{connections_per_ip: 5000}}}}",
        f"domains: {{{DOMAIN}: {{}}}}",
        "accounts:",
        *(f"  u{number}@{DOMAIN}: {{}}" for number in range(accounts)),
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def sandbox(
    *, accounts: int = 100, workers: int = 2, state: Path | None = None, outbound: str | None = None
) -> Iterator[Running]:
    """state: kept afterwards; None: a fresh one. outbound: a smart host, host:port; None: outbound mail is kept.

    Stops the process and removes its folder at the end, whatever happens.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailstack-bench-"))
    # The supervisor watches the folder of the spec: a log that grows there would keep it busy.
    beside = folder / "beside"
    beside.mkdir()
    spec, ready = folder / "mailstack.yaml", beside / "ready.json"
    spec.write_text(spec_text(accounts, workers=workers))
    command = [
        str(Path(sys.executable).with_name("mailstack")),
        "sandbox",
        str(spec),
        "--state",
        str(state or folder / "state"),
    ]
    command += ["--base-port", str(free_base_port()), "--ready", str(ready), "--passwords", PASSWORD]
    command += ["--outbound", outbound] if outbound else []
    started = time.perf_counter()
    with (beside / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield _wait_ready(process, ready, spec, started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder)


def free_base_port() -> int:
    """A base under which the sandbox's ports are free now."""
    for base in range(21_000, 60_000, 1_000):
        if all(_is_free(base + offset) for offset in PORTS.values()):
            return base
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_ready(process: subprocess.Popen[bytes], ready: Path, spec: Path, started: float) -> Running:
    while not ready.exists():
        if process.poll() is not None or time.perf_counter() - started > START_DEADLINE_S:
            raise RuntimeError(f"the sandbox did not start: {(ready.parent / 'log').read_text()}")
        time.sleep(0.005)
    first_accept_s = time.perf_counter() - started
    facts = json.loads(ready.read_text())
    return Running(
        pid=facts["pid"],
        endpoints={name: (host, port) for name, (host, port) in facts["endpoints"].items()},
        state=Path(facts["state"]),
        spec=spec,
        first_accept_s=first_accept_s,
    )


def process_tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(") ")[2].split()[1]), []).append(int(entry.name))
    tree, todo = [], [root]
    while todo:
        pid = todo.pop()
        tree.append(pid)
        todo += children.get(pid, [])
    return tree


def cpu_s(root: int) -> float:
    """User and system time of the tree, with children it has reaped."""
    ticks = 0
    for pid in process_tree(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mb(root: int) -> float:
    total_kb = 0
    for pid in process_tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


def smtp_load(*, port: int, imap_port: int, count: int, servers: str, lmtp: bool = False) -> dict[str, float]:
    """One run of the load tool; raises when a message was lost. servers: pids or pid files."""
    command = [sys.executable, str(PEERS / "smtpload.py"), "--port", str(port), "--imap-port", str(imap_port)]
    command += ["--count", str(count), "--conns", "10", "--rcpts", "100", "--srv", servers, "--check-ids"]
    command += ["--lmtp"] if lmtp else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    result: dict[str, float] = json.loads(done.stdout)
    return result


@contextmanager
def dovecot() -> Iterator[str | None]:
    """The rival that keeps mail in Maildir; yields its pid file, None where it is not installed."""
    folder = Path(os.environ.get("PEERS_DIR", Path(tempfile.gettempdir()) / "peers"))
    if not (folder / "dovecot-pkg").exists():
        yield None
        return
    subprocess.run([str(PEERS / "up"), "dovecot"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield str(folder / "run" / "dovecot.pid")
    finally:
        subprocess.run(
            [str(PEERS / "down"), "dovecot"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
