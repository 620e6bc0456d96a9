"""`mailstack test` as it is typed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.test import command
from tests.support.golden_spec import agrees
from tests.support.spec_tests import FAILURES, HEAD, write_spec
from tests.support.tap_parser import read_tap

MAIL = "send: {from: x@y.example, to: alice@example.com}"
PASSING = f"  - {{name: alice gets it, {MAIL}, expect: {{delivered: alice@example.com}}}}\n"
FAILING = f"  - {{name: bob gets it, {MAIL}, expect: {{delivered: bob@example.com}}}}\n"
REFUSED = f"  - {{name: nobody gets it, {MAIL}, expect: {{rejected: true}}}}\n"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_all_passed_is_0(folder: Path) -> None:
    write_spec(folder, PASSING)
    result = run("spec.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"✓ alice gets it\n1 passed in [0-9.]+ s\n", result.stdout)


def test_a_failure_is_1_and_shows_what_happened(folder: Path) -> None:
    write_spec(folder, PASSING + FAILING)
    result = run("spec.yaml")
    assert result.exit_code == 1
    assert "✗ bob gets it  spec.yaml:7:5\n" in result.stdout
    assert "      - expected  bob@example.com: INBOX\n      + found     nothing\n" in result.stdout
    assert "RCPT TO:<alice@example.com>                    250 2.1.5 Recipient OK\n" in result.stdout
    assert "        alice@example.com is an account (read, receive, submit)\n" in result.stdout
    assert "1 passed, 1 failed in" in result.stdout


def test_what_failures_look_like_is_kept_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FAILURES.parent)
    shown = re.sub(r"in [0-9.]+ s\n\Z", "in 0.00 s\n", run(FAILURES.name).stdout)
    assert agrees(FAILURES.with_name("failures.txt"), shown)


def test_faults_of_the_spec_are_2(folder: Path) -> None:
    write_spec(folder, "  - {name: nothing}\n")
    result = run("spec.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "spec.yaml:6:5: tests[0]: a test sends a mail (send)" in result.stderr
    assert json.loads(run("spec.yaml", "--format", "json").stdout)["count"] == 2


def test_a_message_file_that_is_gone_is_2(folder: Path) -> None:
    test = PASSING.replace("to: alice@example.com", "to: alice@example.com, eml: gone.eml", 1)
    write_spec(folder, test)
    result = run("spec.yaml")
    assert result.exit_code == 2
    assert "tests[0].send.eml:" in result.stderr
    assert "gone.eml cannot be read: No such file or directory" in result.stderr


@pytest.mark.parametrize("arguments", [("spec.yaml", "-k", "nothing like it"), ("bare.yaml",)])
def test_where_nothing_is_tested_nothing_has_passed(folder: Path, arguments: tuple[str, ...]) -> None:
    write_spec(folder, PASSING)
    (folder / "bare.yaml").write_text(HEAD)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")


def test_the_filter_chooses_by_name(folder: Path) -> None:
    write_spec(folder, PASSING + FAILING)
    assert run("spec.yaml", "-k", "ALICE").exit_code == 0
    assert run("spec.yaml", "--filter", "bob").exit_code == 1


def test_fail_fast_says_how_many_were_left_out(folder: Path) -> None:
    write_spec(folder, FAILING + PASSING + REFUSED)
    result = run("spec.yaml", "--fail-fast")
    assert result.exit_code == 1
    assert "0 passed, 1 failed, 2 not run in" in result.stdout
    assert len(read_tap(run("spec.yaml", "--fail-fast", "--format", "tap").stdout)) == 1


def test_list_names_them_and_runs_none(folder: Path) -> None:
    write_spec(folder, PASSING + FAILING)
    result = run("spec.yaml", "--list")
    assert (result.exit_code, result.stdout) == (0, "alice gets it  spec.yaml:6:5\nbob gets it  spec.yaml:7:5\n")
    assert [test["line"] for test in json.loads(run("spec.yaml", "--list", "--format", "json").stdout)] == [6, 7]


def test_durations_show_the_slowest(folder: Path) -> None:
    write_spec(folder, PASSING)
    result = run("spec.yaml", "--durations")
    assert re.search(r"✓ alice gets it  [0-9.]+ ms\nslowest:\n +[0-9.]+ ms  alice gets it\n", result.stdout)


def test_reports_go_to_standard_output_or_to_a_file(folder: Path) -> None:
    write_spec(folder, PASSING + FAILING)
    assert [point.is_ok for point in read_tap(run("spec.yaml", "--format", "tap").stdout)] == [True, False]
    assert json.loads(run("spec.yaml", "--format", "json").stdout)["failed"] == 1
    result = run("spec.yaml", "--format", "junit", "--out", "report.xml")
    assert result.exit_code == 1
    assert "1 passed, 1 failed" in result.stdout
    assert Xml.fromstring((folder / "report.xml").read_text(encoding="utf-8"))[0].get("name") == "spec.yaml"


def test_a_report_that_cannot_be_written_is_an_error(folder: Path) -> None:
    write_spec(folder, PASSING)
    result = run("spec.yaml", "--format", "tap", "--out", "gone/report.tap")
    assert result.exit_code == 1
    assert isinstance(result.exception, OSError)


def test_a_report_without_a_format_is_refused(folder: Path) -> None:
    write_spec(folder, PASSING)
    result = run("spec.yaml", "--out", "report.txt")
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_it_runs_by_itself_with_nothing_but_the_files(tmp_path: Path) -> None:
    """As a CI job has it: no secrets in the environment, nothing that may be written to."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    (folder / "mailstack.yaml").write_bytes((ROOT / "mailstack.yaml.example").read_bytes())
    folder.chmod(0o555)
    found = subprocess.run(
        [sys.executable, "-m", "mailstack", "test", "mailstack.yaml", "--format", "tap"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert all(point.is_ok for point in read_tap(found.stdout))
    assert [path.name for path in folder.iterdir()] == ["mailstack.yaml"]
