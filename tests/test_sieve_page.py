"""docs/sieve.md: every extension has an example, and each example does what the page says."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailstack.cli.main import cli
from mailstack.sieve.extensions import EXTENSIONS

PAGE = (Path(__file__).parent.parent / "docs" / "sieve.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```sieve\n(.*?)```\n```text\n(.*?)```", re.DOTALL)
SECTION = re.compile(r"^### (\S+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ENVELOPE = ("--mail-from", "coyote@desert.example.org", "--rcpt", "roadrunner+acme@acme.example.com")


def examples() -> list[tuple[str, str]]:
    return EXAMPLE.findall(PAGE)


@pytest.mark.parametrize(("script", "expected"), examples())
def test_an_example_does_what_the_page_says(script: str, expected: str, tmp_path: Path) -> None:
    mail = re.search(r"```eml\n(.*?)```", PAGE, re.DOTALL)
    assert mail is not None
    (tmp_path / "mail.eml").write_text(mail[1], encoding="utf-8")
    (tmp_path / "example.sieve").write_text(script, encoding="utf-8")
    found = CliRunner().invoke(
        cli, ["sieve", "run", str(tmp_path / "example.sieve"), str(tmp_path / "mail.eml"), *ENVELOPE]
    )
    assert (found.exit_code, found.output) == (0, expected)


def test_each_extension_has_an_example_that_requires_it() -> None:
    sections = dict(SECTION.findall(PAGE))
    assert set(sections) == {extension.name for extension in EXTENSIONS if extension.name}
    for name, text in sections.items():
        assert EXAMPLE.search(text), f"no example of {name}"
        # What RFC 5228 §2.7.3 has everywhere needs no require.
        assert f'"{name}"' in text or name in ("comparator-i;octet", "comparator-i;ascii-casemap"), name


def test_the_rules_of_the_page_are_the_sieve_below_them(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(rules:.*?)```.*?```sieve\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    rules = "".join(f"    {line}\n" for line in found[1].splitlines())
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"server: {{hostname: m.example.com}}\ndomains: {{example.com: }}\naccounts:\n  a@example.com:\n{rules}"
    )
    shown = CliRunner().invoke(cli, ["sieve", "show", str(spec), "a@example.com", "--unapplied", "--format", "json"])
    (script,) = json.loads(shown.stdout)
    assert script["content"] == found[2]


def test_no_example_is_left_unread() -> None:
    assert PAGE.count("```sieve") == len(examples())
