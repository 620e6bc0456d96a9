"""The frame of the command line: quick, helpful, and plain when something fails."""

import subprocess
import sys

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
