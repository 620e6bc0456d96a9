"""`mailstack schema` as it is typed."""

import json
from pathlib import Path

from click.testing import CliRunner

from mailstack.cli.schema import command


def test_the_schema_of_specs_is_printed() -> None:
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "mailstack spec"


def test_the_schema_of_plans_goes_to_a_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["plan", "--output", str(tmp_path / "plan.json")])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "changes" in json.loads((tmp_path / "plan.json").read_text())["properties"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["-o", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path} cannot be written: Is a directory" in result.stderr


def test_help_has_examples() -> None:
    assert "mailstack schema plan" in CliRunner().invoke(command, ["--help"]).stdout
