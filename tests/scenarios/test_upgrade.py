"""Another version is installed under a running server: it serves on, and applies nothing until it is started again."""

import os
import shutil
import signal
import smtplib
import subprocess
from pathlib import Path

import pytest

import mailstack
from tests.support.engines import storage_section
from tests.support.leash import leashed
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import MAILSTACK, free_base_port, save, stop, wait_for

pytestmark = pytest.mark.slow

SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{smtp: ["127.0.0.1:{smtp}"], submission: [], submissions: [], managesieve: [],
    imap: [], imaps: [], http: [], https: []}}
{storage}
tls: {{issuer: self-signed}}
domains: {{example.com: {{}}}}
dns:
  providers: {{files: {{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}}}
  zones: {{example.com: {{provider: files}}}}
reconcile: {{drift_check: 15s}}
"""


def test_a_server_under_which_another_version_is_installed_serves_on_and_says_to_restart_it(tmp_path: Path) -> None:
    packages, spec, log, port = tmp_path / "packages", tmp_path / "mail.yaml", tmp_path / "log", free_base_port() + 25
    shutil.copytree(Path(mailstack.__file__).parent, packages / "mailstack", ignore=lambda *_: {"__pycache__"})
    save(spec, SPEC.format(smtp=port, storage=storage_section()))
    with log.open("wb") as lines:
        server = subprocess.Popen(
            leashed([*MAILSTACK, "serve", str(spec)], "TERM"),
            stderr=lines,
            env={**os.environ, "PYTHONPATH": str(packages)},
        )
    try:
        wait_for(lambda: '"event":"serving"' in log.read_text(), what="a server")
        os.utime(packages / "mailstack" / "__init__.py")
        wait_for(lambda: "upkeep failed" in log.read_text(), what="upkeep")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: "the reload was refused" in log.read_text(), what="the reload")
        assert log.read_text().count("restart the server to apply with it") >= 2
        with smtplib.SMTP("127.0.0.1", port, timeout=CLIENT_S) as client:
            assert client.noop()[0] == 250
    finally:
        stop(server)
    assert server.returncode == 0
