"""`mailstack apply` when something happens meanwhile: a DNS provider breaks down, somebody edits the spec."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.sandbox import wait_for

TWO_ZONES = """\
server: {hostname: mail.a.example}
storage: {path: state}
domains:
  a.example: {dkim: {algorithms: [ed25519]}}
  b.example: {dkim: {algorithms: [ed25519]}}
dns:
  providers:
    good: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: good}
    bad: {class: tests.support.failing_zone_file.FailingZoneFile, directory: bad}
  zones: {a.example: {provider: good}, b.example: {provider: bad}}
"""
SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts:
  alice@example.com: {name: Alice}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_a_provider_that_breaks_down_is_named_what_is_done_is_said_and_the_next_plan_has_the_rest(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(TWO_ZONES)
    down = tmp_path / "bad" / "down"
    down.parent.mkdir()
    down.touch()
    broken = run("apply", "--yes", str(spec))
    assert broken.exit_code == 1
    assert "the server's state is at generation 1" in broken.stdout
    assert "DNS zone a.example: seen as planned" in broken.stdout
    assert "Applied:" not in broken.stdout
    assert broken.stderr.startswith("error: DNS zone b.example (provider bad): 503 Service Unavailable")

    rest = run("plan", str(spec))
    assert rest.exit_code == 2
    shown = [line for line in rest.stdout.splitlines() if line.startswith("  + ")]
    assert shown
    assert all("dns_record" in line and "b.example" in line for line in shown)
    down.unlink()
    assert run("apply", "--yes", str(spec)).exit_code == 0
    assert run("plan", str(spec)).exit_code == 0


@pytest.mark.slow
def test_a_spec_that_is_edited_while_the_question_stands_is_not_what_is_applied(tmp_path: Path) -> None:
    """What was shown is what is done; the edit waits for the next plan."""
    spec, shown = tmp_path / "mailstack.yaml", tmp_path / "shown"
    spec.write_text(SPEC)
    ours, theirs = pty.openpty()
    with shown.open("wb") as out:
        command = [sys.executable, "-c", "from mailstack.cli.main import main; main()", "apply", str(spec)]
        applying = subprocess.Popen(command, stdin=theirs, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: "Only 'yes'" in shown.read_text() or applying.poll() is not None)
        spec.write_text(SPEC.replace("name: Alice", "name: Somebody else"))
        os.write(ours, b"yes\n")
        assert applying.wait(timeout=120) == 0, shown.read_text()
    finally:
        applying.kill()
        applying.wait()
        os.close(ours)
        os.close(theirs)
    assert '"Alice"' in shown.read_text()
    assert "changed since the last apply" in run("status", str(spec)).stdout
    left = run("plan", str(spec))
    assert left.exit_code == 2
    assert '"Alice" -> "Somebody else"' in left.stdout
