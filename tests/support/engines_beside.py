"""Debian's clamd and rspamd, started by a test on loopback, and a mail for them to judge. No network is asked."""

import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from mailstack.ports.scanner import Brought
from tests.support.leash import leashed
from tests.support.ports import free_port
from tests.support.sandbox import need, wait_for

START_S = 60.0
VIRUS = b"this text stands for a virus"
MAIL = b"From: a@b.example\r\nSubject: replica\r\n\r\nhello\r\n"
# A rule that looks at all that it is told of a mail, and one that says something for every mail.
RULES = """
rspamd_config.SELLS_WATCHES = { score = 4.5, callback = function(task)
  local told = { task:get_from_ip():to_string(), task:get_helo(), task:get_hostname(), task:get_from('smtp')[1].addr,
    task:get_recipients('smtp')[1].addr, task:get_recipients('smtp')[2].addr, task:get_queue_id() }
  return task:get_subject() == 'replica' and
    table.concat(told, ' ') == '8.8.4.4 mx.b.example h.b.example a@b.example c@d.example e@d.example t'
end }
rspamd_config.SAYS_HELLO = { score = -0.25, callback = function(task) return true end }
"""


def brought(raw: bytes = MAIL) -> Brought:
    return Brought(
        raw=raw,
        peer_host="8.8.4.4",
        host_name="h.b.example",
        ehlo_domain="mx.b.example",
        reverse_path="a@b.example",
        recipients=["c@d.example", "e@d.example"],
        trace_id="t",
    )


@contextmanager
def real_clamd(folder: Path) -> Iterator[str]:
    """Its socket; it knows VIRUS, and nothing else."""
    database, path = folder / "signatures", folder / "clamd.sock"
    database.mkdir()
    (database / "test.ndb").write_text(f"Test.Stand-In:0:*:{VIRUS.hex()}\n")
    config = folder / "clamd.conf"
    config.write_text(
        f"LocalSocket {path}\nDatabaseDirectory {database}\nTemporaryDirectory {folder}\nForeground true\n"
    )
    with _running([need("clamd"), "-c", str(config)], folder / "clamd.log", lambda: _listens(path)):
        yield str(path)


@contextmanager
def real_rspamd(folder: Path) -> Iterator[str]:
    """Its URL; it knows RULES, and nothing else."""
    port = free_port()
    (folder / "rules.lua").write_text(RULES)
    (folder / "suffixes").write_text("example\n")
    config = folder / "rspamd.conf"
    config.write_text(
        f"""
options {{
  filters = ""; rrd = null; disable_hyperscan = true; url_tld = "{folder}/suffixes"; tempdir = "{folder}";
  pidfile = "{folder}/pid"; cache_file = "{folder}/cache"; hs_cache_dir = "{folder}"; history_file = "{folder}/history";
  dynamic_conf = "{folder}/dynamic"; control_socket = "{folder}/control mode=0600";
  dns {{ nameserver = "127.0.0.1:9"; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "error"; }}
metric {{ name = "default"; actions {{ reject = 15; "add header" = 6; }} }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
lua = "{folder}/rules.lua";
"""
    )
    url = f"http://127.0.0.1:{port}"
    # -i: as root too.
    command = [need("rspamd"), "-f", "-i", "-c", str(config)]
    with _running(command, folder / "rspamd.log", lambda: _pongs(url)):
        yield url


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == 0


def _pongs(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping", trust_env=False).is_success
    except httpx.TransportError:
        return False


@contextmanager
def _running(command: Sequence[str], log: Path, is_up: Callable[[], bool]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(leashed(list(command)), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: is_up() or process.poll() is not None, timeout_s=START_S, what=log.name)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(timeout=START_S)
