"""`mailstack sieve show`, `list`, `put`, `activate` and `delete` as they are typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

ALICE, BOB = "alice@example.com", "bob@example.com"
SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts:
  alice@example.com: {addresses: [ally@example.com]}
  bob@example.com: {rules: [{name: invoices, if: {subject: {contains: invoice}}, then: {file_into: Invoices}}]}
aliases: {sales@example.com: alice@example.com}
sieve: {before: [{file: all.sieve}], after: [{file: last.sieve}]}
"""
RULES = """\
# Made of the rules in the spec, which is where to change them.
require ["fileinto", "mailbox"];

# rule: invoices
if header :contains "subject" "invoice" {
    fileinto :create "Invoices";
}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["sieve", *arguments])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    (tmp_path / "all.sieve").write_text("# for all\x1b[2J\nkeep;\n")
    (tmp_path / "last.sieve").write_bytes(b"# at last\r\nkeep;\r\n")
    (tmp_path / "own.sieve").write_text("# alice's own\ndiscard;\n")
    (tmp_path / "bad.sieve").write_text("keep;\nkep;\n")
    return path


@pytest.fixture
def applied(spec: Path) -> Path:
    assert CliRunner().invoke(cli, ["apply", "--yes", str(spec)]).exit_code == 0
    return spec


def shown(spec: Path, address: str, *options: str) -> list[tuple[str, str, str]]:
    found = run("show", str(spec), address, "--format", "json", *options)
    assert found.exit_code == 0, found.stderr
    return [(one["name"], one["origin"], one["content"]) for one in json.loads(found.stdout)]


def listed(spec: Path, address: str) -> list[tuple[str, bool]]:
    found = json.loads(run("list", str(spec), address, "--format", "json").stdout)
    return [(one["name"], one["active"]) for one in found]


def test_what_runs_for_an_account_is_shown_in_order(applied: Path) -> None:
    before = ("all.sieve", "before", "# for all\x1b[2J\nkeep;\n")
    after = ("last.sieve", "after", "# at last\nkeep;\n")
    assert shown(applied, ALICE) == [before, after]
    assert shown(applied, BOB) == [before, (BOB, "spec", RULES), after]
    assert run("put", str(applied), ALICE, str(applied.parent / "own.sieve"), "--activate").exit_code == 0
    assert shown(applied, "ally@example.com") == [before, (ALICE, "own", "# alice's own\ndiscard;\n"), after]


def test_people_see_whose_script_it_is_and_nothing_that_steers_their_terminal(applied: Path) -> None:
    assert run("show", str(applied), BOB).stdout == (
        "# all.sieve: the server's, before the account's own\n# for all\ufffd[2J\nkeep;\n"
        f"# {BOB}: the account's, kept in the spec\n{RULES}"
        "# last.sieve: the server's, after the account's own\n# at last\nkeep;\n"
    )


def test_what_a_spec_would_have_run_is_shown_before_it_is_applied(spec: Path) -> None:
    assert [origin for _, origin, _ in shown(spec, BOB, "--unapplied")] == ["before", "spec", "after"]
    assert not (spec.parent / "state").exists()
    refused = run("show", str(spec), BOB)
    assert (refused.exit_code, "nothing was applied yet" in refused.stderr) == (1, True)
    spec.write_text(SPEC.partition("sieve:")[0])
    assert run("show", str(spec), ALICE, "--unapplied").stdout == "nothing: mail goes into INBOX\n"


def test_a_script_comes_is_chosen_and_goes(applied: Path) -> None:
    own = str(applied.parent / "own.sieve")
    assert run("put", str(applied), ALICE, own).stdout == f"stored own for {ALICE}\n"
    assert run("put", str(applied), ALICE, own, "--name", "two words").exit_code == 0
    assert listed(applied, ALICE) == [("own", False), ("two words", False)]
    assert run("activate", str(applied), ALICE, "two words").stdout == f"two words is active for {ALICE}\n"
    assert listed(applied, ALICE) == [("own", False), ("two words", True)]
    refused = run("delete", str(applied), ALICE, "two words")
    assert (refused.exit_code, listed(applied, ALICE)) == (1, [("own", False), ("two words", True)])
    assert refused.stderr == "error: the script is active; make another one active first, or none\n"
    assert run("activate", str(applied), ALICE, "--none").stdout == f"no script of {ALICE} is active\n"
    assert run("delete", str(applied), ALICE, "two words").stdout == f"deleted two words of {ALICE}\n"
    assert listed(applied, ALICE) == [("own", False)]
    assert "own" in run("list", str(applied), ALICE).stdout


def test_a_script_that_does_not_compile_is_not_taken(applied: Path) -> None:
    bad = applied.parent / "bad.sieve"
    refused = run("put", str(applied), ALICE, str(bad), "--activate")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [
        f"{bad}:2:1: unknown command 'kep' (did you mean 'keep'?)",
        "error: the script does not compile; nothing was changed",
    ]
    assert listed(applied, ALICE) == []
    missing = run("put", str(applied), ALICE, str(applied.parent / "none.sieve"))
    assert (missing.exit_code, "none.sieve cannot be read" in missing.stderr) == (2, True)


def test_a_script_of_the_spec_is_listed_and_cannot_be_changed(applied: Path) -> None:
    assert listed(applied, BOB) == [("mailstack", True)]
    own = str(applied.parent / "own.sieve")
    for call in (
        ("put", str(applied), BOB, own),
        ("activate", str(applied), BOB, "--none"),
        ("delete", str(applied), BOB, "x"),
    ):
        refused = run(*call)
        assert (refused.exit_code, "kept in the server's configuration" in refused.stderr) == (1, True)
    assert listed(applied, BOB) == [("mailstack", True)]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nobody@example.com", "there is no account nobody@example.com"),
        ("sales@example.com", "sales@example.com is an alias, not an account"),
        ("nobody", "nobody is no address"),
    ],
)
def test_who_has_no_scripts_is_said(applied: Path, address: str, told: str) -> None:
    for call in (
        ("show", str(applied), address),
        ("list", str(applied), address),
        ("delete", str(applied), address, "x"),
    ):
        refused = run(*call)
        assert (refused.exit_code, told in refused.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("own", "--none")])
def test_either_a_name_or_none(applied: Path, arguments: tuple[str, ...]) -> None:
    refused = run("activate", str(applied), ALICE, *arguments)
    assert (refused.exit_code, "either NAME or --none" in refused.stderr) == (2, True)
