"""The frame of the command line: quick, helpful, and plain when something fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import mailstack
from mailstack.cli.main import COMMANDS, cli, end_with
from mailstack.model.errors import TryAgainLater

HEAVY = ("pydantic", "octodns", "cryptography", "apsw", "rich", "asyncio")


def test_help_names_every_command_and_loads_none_of_their_libraries() -> None:
    code = f"import sys; from mailstack.cli.main import main; print([m for m in {HEAVY} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout == b"[]\n"
    shown = CliRunner().invoke(cli, ["--help"]).output
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"mailstack, version {mailstack.__version__}\n"


def test_an_unknown_command_is_a_faulty_call() -> None:
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (TryAgainLater("the disk is full"), "error: the disk is full\n"),
        (FileNotFoundError(2, "No such file or directory", "/x/y"), "error: /x/y: No such file or directory\n"),
        (OSError(28, "No space left on device"), "error: No space left on device\n"),
        (
            ZeroDivisionError("oops"),
            "error: internal error: ZeroDivisionError: oops (mailstack --debug … shows where)\n",
        ),
    ],
)
def test_an_exception_becomes_one_line(
    fault: Exception, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(Exception) as ended:
        end_with(fault)
    assert getattr(ended.value, "exit_code", None) == 1
    assert capsys.readouterr().err == line


SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
OUTPUTS = (["--help"], ["validate", "--help"], ["schema"], ["status", "mail.yaml"], ["plan", "mail.yaml"])


def shell(line: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "mail.yaml").write_text(SPEC)
    command = ["bash", "-c", line, sys.executable, "-m", "mailstack", *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_full_disk_under_the_output_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    ended = shell('"$0" "$@" > /dev/full', arguments, tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_pipe_that_nobody_reads_is_a_quiet_end(tmp_path: Path, arguments: list[str]) -> None:
    ended = shell('exec 3> >(exec 0<&-); wait $!; "$0" "$@" >&3', arguments, tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_an_output_that_is_closed_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    ended = shell('"$0" "$@" >&-', arguments, tmp_path)
    assert ended.returncode == (2 if arguments[0] == "plan" else 0)
    assert ended.stderr == ""


def test_a_slip_of_the_pen_is_answered_with_the_command_that_is_meant() -> None:
    ended = CliRunner().invoke(cli, ["plna", "mailstack.yaml"])
    assert (ended.exit_code, "No such command 'plna'; did you mean plan?" in ended.stderr) == (2, True)
