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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailstack.app.sandbox_state import PORTS

PEERS = Path(__file__).parent.parent.parent / "shared" / "peers"
DOMAIN = "peer.test"
PASSWORD = "pw"
START_DEADLINE_S = 240
INDEXING_S = 150


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


def spec_text(accounts: int, *, workers: int = 2, sections: Sequence[str] = (), account: str = "{}") -> str:
    lines = [
        "apiVersion: mailstack/v1",
        f"server: {{hostname: mail.{DOMAIN}, workers: {workers}, limits: {{connections_per_ip: 5000}}}}",
        f"domains: {{{DOMAIN}: {{}}}}",
        *sections,
        "accounts:",
        *(f"  u{number}@{DOMAIN}: {account}" for number in range(accounts)),
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def sandbox(
    *,
    accounts: int = 100,
    workers: int = 2,
    state: Path | None = None,
    outbound: str | None = None,
    sections: Sequence[str] = (),
    account: str = "{}",
) -> Iterator[Running]:
    """state: kept afterwards; None: a fresh one. outbound: a smart host, host:port; None: outbound mail is kept.
    sections: more lines of the spec. account: what it says of each.

    Stops the process and removes its folder at the end, whatever happens.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailstack-bench-"))
    # The supervisor watches the folder of the spec: a log that grows there would keep it busy.
    beside = folder / "beside"
    beside.mkdir()
    spec, ready = folder / "mailstack.yaml", beside / "ready.json"
    spec.write_text(spec_text(accounts, workers=workers, sections=sections, account=account))
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


def smtp_load(
    *, port: int, imap_port: int, count: int, servers: str, lmtp: bool = False, pool: Path | None = None
) -> dict[str, float]:
    """One run of the load tool; raises when a message was lost. servers: pids or pid files. pool: messages to send in
    turn, None for made ones."""
    command = [sys.executable, str(PEERS / "smtpload.py"), "--port", str(port), "--imap-port", str(imap_port)]
    command += ["--count", str(count), "--conns", "10", "--rcpts", "100", "--srv", servers, "--check-ids"]
    command += ["--lmtp"] if lmtp else []
    command += ["--pool", str(pool)] if pool else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def fill(port: int, users: str, account: int, messages: int) -> None:
    """Over IMAP, up to as many messages as are wanted. users: the name of one, with {} for the number."""
    command = [sys.executable, str(PEERS / "imapload.py"), "--port", str(port), "--users", users]
    subprocess.run(
        [*command, "--first", str(account), "--count", str(messages), "fill"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=1_800,
    )


def peers_folder() -> Path:
    """Where ../shared/peers keeps what it installs and makes."""
    return Path(os.environ.get("PEERS_DIR", Path(tempfile.gettempdir()) / "peers"))


@contextmanager
def dovecot() -> Iterator[str | None]:
    """The rival that keeps mail in Maildir; yields its pid file, None where it is not installed."""
    with _peers(("dovecot",)) as files:
        yield files


@contextmanager
def cyrus() -> Iterator[str | None]:
    """As dovecot; its words are indexed by index_cyrus alone."""
    with _peers(("cyrus",)) as files:
        yield files


def index_cyrus(user: str) -> None:
    """Once. The indexer begins anew whenever it is through, so it is stopped."""
    folder = peers_folder()
    done = folder / "cyrus" / f"indexed-{user}"
    if done.exists():
        return
    squatter = folder / "cyrus-pkg" / "usr" / "lib" / "cyrus" / "bin" / "squatter"
    command = f"timeout {INDEXING_S} {squatter} -C {folder / 'cyrus' / 'imapd.conf'} user/{user}"
    subprocess.run(["su", "-s", "/bin/sh", "cyrus", "-c", command], check=False, capture_output=True)
    done.touch()


@contextmanager
def postfix_opendkim_dovecot() -> Iterator[str | None]:
    """Postfix, a milter that checks DKIM, Dovecot behind; yields their pid files, None where they are not installed."""
    with _peers(("dovecot",), ("opendkim",), ("postfix-dovecot", "opendkim")) as files:
        yield files


@contextmanager
def postfix_rspamd_dovecot(script: str, accounts: int) -> Iterator[str | None]:
    """Postfix, Rspamd with its Redis, and Dovecot that runs the script for each of its accounts; as above."""
    homes = peers_folder() / "dovecot" / "home"
    with _peers(("redis",), ("dnsstub",), ("rspamd",), ("dovecot", "sieve"), ("postfix-dovecot", "rspamd")) as files:
        if files is not None:
            for number in range(accounts):
                home = homes / f"u{number}"
                home.mkdir(parents=True, exist_ok=True)
                (home / ".dovecot.sieve").write_text(script)
                for path in (home, home / ".dovecot.sieve"):
                    shutil.chown(path, "vmail", "mail")
            files = ",".join(file for file in files.split(",") if "dnsstub" not in file)
        yield files


@contextmanager
def postfix_signing(relay: str, keys: Mapping[str, str]) -> Iterator[Sequence[int] | None]:
    """Postfix that hands all mail to a relay (host:port), with an OpenDKIM for each key, since one of them signs by one
    algorithm only. keys: in PEM, by algorithm, as OpenDKIM names it, such as rsa-sha256. All keep what they have in a
    folder of their own. Yields the pids of their process trees, None where they are not installed."""
    if not (peers_folder() / "dovecot-pkg").exists():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="mailstack-bench-postfix-"))
    folder.chmod(0o755)
    host, _, port = relay.partition(":")
    milters = " ".join(f"unix:{folder / algorithm / 'sock'}" for algorithm in keys)
    extra = f"relayhost = [{host}]:{port}\nsmtpd_milters = {milters}"
    names = {"PEERS_DIR": str(folder), "PF_EXTRA": extra}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        signers = [stack.enter_context(_opendkim(folder / name, key, name)) for name, key in keys.items()]
        stack.callback(_peer, "down", "postfix-dovecot", **names)
        _peer("up", "postfix-dovecot", **names)
        yield [int((folder / "run" / "postfix-dovecot.pid").read_text()), *signers]


@contextmanager
def _opendkim(folder: Path, key: str, algorithm: str) -> Iterator[int]:
    folder.mkdir(parents=True)
    _give(folder / "key.pem", key, "opendkim")
    conf = folder / "opendkim.conf"
    conf.write_text(
        f"Mode s\nSyslog no\nUserID opendkim\nUMask 000\nSocket local:{folder}/sock\nDomain {DOMAIN}\n"
        f"Selector {algorithm}\nKeyFile {folder}/key.pem\nSignatureAlgorithm {algorithm}\nRequireSafeKeys false\n"
        "Canonicalization relaxed/relaxed\nInternalHosts 127.0.0.1\n"
    )
    shutil.chown(folder, "opendkim", "opendkim")
    command = ["opendkim", "-f", "-x", str(conf)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.perf_counter() + START_DEADLINE_S
        while not (folder / "sock").exists():
            if process.poll() is not None or time.perf_counter() > end:
                raise RuntimeError("OpenDKIM did not start")
            time.sleep(0.005)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _give(path: Path, text: str, owner: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
    shutil.chown(path, owner, owner)


@contextmanager
def _peers(*started: Sequence[str]) -> Iterator[str | None]:
    """started: the arguments of `up`, in order."""
    if not (peers_folder() / "dovecot-pkg").exists():
        yield None
        return
    names = [name for name, *_ in started]
    try:
        for arguments in started:
            _peer("up", *arguments)
        yield ",".join(str(peers_folder() / "run" / f"{name}.pid") for name in names)
    finally:
        _peer("down", *reversed(names))


def _peer(script: str, *arguments: str, **names: str) -> None:
    """names: of its environment."""
    command = [str(PEERS / script), *arguments]
    environment = {**os.environ, **names}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
