"""docs/gitops.md and its examples say what the commands do."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from mailstack.cli.main import COMMANDS, cli
from mailstack.model.token import Scope

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "gitops.md").read_text(encoding="utf-8")
EXAMPLES = [DOCS / "examples" / name for name in ("github-workflow.yaml", "gitlab-ci.yaml")]


def commands_in(text: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"\bmailstack ([a-z].*)", text)]


def options_of(words: list[str]) -> set[str]:
    """Of the command that the words begin with; raises where there is none."""
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
    assert command is not None, words
    return {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_yaml_with_a_job_that_plans_and_one_that_applies(path: Path) -> None:
    found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = found.get("jobs", found)
    assert {"plan", "apply"} <= jobs.keys()
    assert "mailstack plan mailstack.yaml --server" in str(jobs["plan"])
    assert "mailstack apply mailstack.yaml --yes --server" in str(jobs["apply"])
    assert "APPLY_TOKEN" not in str(jobs["plan"])


@pytest.mark.parametrize("path", [DOCS / "gitops.md", *EXAMPLES], ids=lambda path: path.name)
def test_every_command_and_option_exists(path: Path) -> None:
    for words in commands_in(path.read_text(encoding="utf-8")):
        if words[0] in COMMANDS:
            used = {word.rstrip("`,;") for word in words if word.startswith("--")}
            assert used <= options_of(words), words


def test_every_scope_is_explained() -> None:
    for scope in Scope:
        assert f"| `{scope}` |" in PAGE


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (DOCS / target).exists(), target
