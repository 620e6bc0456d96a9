"""`mailstack validate` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.validate import command

GOOD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\naccounts: {a@example.com: , b@example.com: }\n"
BAD = "server: {hostnme: mail.example.com}\ndomains: {example.com: }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.usefixtures("folder")
def test_a_sound_spec_is_summed_up_in_a_line() -> None:
    result = run("good.yaml")
    assert result.exit_code == 0
    assert result.stdout == "valid good.yaml: mail.example.com with 1 domain, 2 accounts (1 file)\n"


def test_tests_are_counted_where_there_are_any(folder: Path) -> None:
    test = "{name: a, dns: {name: example.com, type: MX}, expect: {count: 1}}"
    (folder / "tested.yaml").write_text(f"{GOOD}tests: [{test}]\n")
    assert "1 domain, 2 accounts, 1 test (1 file)" in run("tested.yaml").stdout


@pytest.mark.usefixtures("folder")
def test_faults_go_to_standard_error_with_exit_status_2() -> None:
    result = run("bad.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("bad.yaml:1:1: server.hostname: this key is required")
    assert lines[1].startswith("bad.yaml:1:10: server.hostnme: unknown key")
    assert len(lines) == 3


@pytest.mark.usefixtures("folder")
def test_several_specs_are_checked_each() -> None:
    result = run("bad.yaml", "good.yaml", "gone.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("valid good.yaml")
    assert "gone.yaml: cannot be read: No such file or directory" in result.stderr


@pytest.mark.usefixtures("folder")
def test_json() -> None:
    good = json.loads(run("--format", "json", "good.yaml").stdout)
    assert good["valid"] is True
    assert {**good["specs"][0], "digest": ""} == {
        "file": "good.yaml",
        "files": 1,
        "hostname": "mail.example.com",
        "domains": 1,
        "accounts": 2,
        "aliases": 0,
        "lists": 0,
        "relays": 0,
        "tests": 0,
        "version": "mailstack/v1",
        "digest": "",
    }
    result = run("--format", "json", "bad.yaml")
    assert result.exit_code == 2
    bad = json.loads(result.stdout)
    assert bad["valid"] is False
    assert [fault["path"] for fault in bad["faults"]] == ["server.hostname", "server.hostnme"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_twenty_thousand_faults_are_counted_and_a_hundred_shown(folder: Path, form: str) -> None:
    accounts = "".join(f"  u{number}@nowhere.example: {{nme: x}}\n" for number in range(10_000))
    (folder / "bad.yaml").write_text(f"{GOOD.partition('accounts')[0]}accounts:\n{accounts}")
    result = run("--format", form, "bad.yaml")
    assert result.exit_code == 2
    if form == "json":
        found = json.loads(result.stdout)
        assert (found["count"], len(found["faults"])) == (20_000, 100)
    else:
        assert result.stderr.endswith("and 19,900 more\n20000 faults; nothing was changed\n")
        assert len(result.stderr.splitlines()) == 102


def test_help_has_examples() -> None:
    assert "mailstack validate mailstack.yaml" in run("--help").stdout


def test_a_spec_must_be_named() -> None:
    assert run().exit_code == 2
