"""`mailstack sieve` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

FILES = """\
require ["fileinto", "imap4flags"];
if header :contains "subject" "report" {
  addflag "work";
  fileinto "Reports";
}
"""
MAIL = "From: a@b.example\nSubject: The report\n\nhi\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.sieve").write_text(FILES)
    (tmp_path / "bad.sieve").write_text('fileinto "A";\nkep;\n')
    (tmp_path / "mail.eml").write_text(MAIL)
    (tmp_path / "other.eml").write_text("Subject: x\n\n")
    return tmp_path


def run(folder: Path, *arguments: str, given: str = "") -> Result:
    paths = [str(folder / one) if one.endswith((".sieve", ".eml")) else one for one in arguments]
    return CliRunner().invoke(cli, ["sieve", *paths], input=given)


def test_good_scripts_are_named_with_what_they_require(folder: Path) -> None:
    found = run(folder, "check", "good.sieve")
    assert (found.exit_code, found.output) == (0, f"{folder}/good.sieve: good; requires fileinto, imap4flags\n")


def test_everything_wrong_with_a_script_is_shown_where_it_is(folder: Path) -> None:
    found = run(folder, "check", "good.sieve", "bad.sieve")
    assert found.exit_code == 2
    assert found.stderr.splitlines() == [
        f"{folder}/bad.sieve:1:1: unknown command 'fileinto' (require 'fileinto' first)",
        f"{folder}/bad.sieve:2:1: unknown command 'kep' (did you mean 'keep'?)",
    ]


def test_faults_for_programs(folder: Path) -> None:
    found = run(folder, "check", "bad.sieve", "good.sieve", "--format", "json")
    assert found.exit_code == 2
    bad, good = json.loads(found.stdout)
    assert (bad["valid"], [fault["line"] for fault in bad["faults"]]) == (False, [1, 2])
    assert (good["valid"], good["requires"]) == (True, ["fileinto", "imap4flags"])


def test_a_file_that_cannot_be_read_leaves_the_others_to_be_checked(folder: Path) -> None:
    found = run(folder, "check", "none.sieve", "bad.sieve", "good.sieve")
    assert (found.exit_code, found.stdout) == (2, f"{folder}/good.sieve: good; requires fileinto, imap4flags\n")
    assert [line.partition(": ")[0] for line in found.stderr.splitlines()] == [
        "error",
        f"{folder}/bad.sieve:1:1",
        f"{folder}/bad.sieve:2:1",
    ]
    none, bad, good = json.loads(
        run(folder, "check", "none.sieve", "bad.sieve", "good.sieve", "--format", "json").stdout
    )
    assert (none["valid"], bad["valid"], good["valid"]) == (False, False, True)
    assert "cannot be read" in none["faults"][0]["text"]


def test_a_script_that_does_not_compile_is_told_to_programs_as_when_it_is_checked(folder: Path) -> None:
    found = run(folder, "run", "bad.sieve", "mail.eml", "--format", "json")
    assert (found.exit_code, found.stderr) == (2, "")
    assert [json.loads(found.stdout)] == json.loads(run(folder, "check", "bad.sieve", "--format", "json").stdout)


def test_what_a_script_would_do(folder: Path) -> None:
    assert run(folder, "run", "good.sieve", "mail.eml").output == "fileinto Reports with work\n"
    implicit = "keep in INBOX (implicit: nothing else was done with it)\n"
    assert run(folder, "run", "good.sieve", "other.eml").output == implicit
    assert run(folder, "run", "good.sieve", "-", given="Subject: report\n\n").output == "fileinto Reports with work\n"


def test_a_trace_leads_through_the_script(folder: Path) -> None:
    found = run(folder, "run", "good.sieve", "mail.eml", "--trace")
    assert found.output.splitlines() == [
        "line    2  header: true",
        "line    3  addflag",
        "line    4  fileinto",
        "",
        "fileinto Reports with work",
    ]


def test_actions_for_programs(folder: Path) -> None:
    found = run(folder, "run", "good.sieve", "mail.eml", "--format", "json")
    assert json.loads(found.stdout) == {
        "actions": [{"action": "fileinto", "mailbox": "Reports", "flags": ["work"]}],
        "fault": None,
    }


def test_a_script_that_fails_says_so_and_keeps_the_mail(folder: Path) -> None:
    (folder / "fails.sieve").write_text("".join(f'redirect "a{number}@b.example";' for number in range(20)))
    found = run(folder, "run", "fails.sieve", "mail.eml")
    assert found.exit_code == 1
    assert found.stdout == "keep in INBOX (implicit: nothing else was done with it)\n"
    assert "the script failed: more than 8 redirect actions" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "bad.sieve", "mail.eml"), "unknown command 'fileinto'"),
        (("run", "good.sieve", "none.eml"), "cannot be read"),
        (("check", "none.sieve"), "cannot be read"),
    ],
)
def test_what_cannot_be_tried(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    found = run(folder, *arguments)
    assert found.exit_code == 2
    assert says in found.output


def test_nothing_to_run_over_is_said(folder: Path) -> None:
    found = run(folder, "run", "good.sieve", "-", given="")
    assert (found.exit_code, "there is no mail in it" in found.output) == (2, True)


SPAMTEST = 'require ["spamtestplus", "relational"]; if spamtest :percent :value "ge" "50" { discard; }\n'
RECEIVED = "Received: from a.test ([192.0.2.1])\n\tby mx.test with ESMTP id 1;\n\tThu, 1 Jan 1970 00:00:00 +0000\n"


@pytest.mark.parametrize(
    ("written", "options", "does"),
    [
        ("", (), "keep"),
        ("", ("--spam", "5"), "discard"),
        ("", ("--spam", "4.9"), "keep"),
        (f"X-Spam-Score: 7.0\n{RECEIVED}", (), "discard"),
        (f"X-Spam-Score: 7.0\n{RECEIVED}", ("--spam", "-1"), "keep"),
        (f"{RECEIVED}X-Spam-Score: 7.0\n", (), "keep"),
    ],
)
def test_a_score_is_given_or_read(folder: Path, written: str, options: tuple[str, ...], does: str) -> None:
    (folder / "spam.sieve").write_text(SPAMTEST)
    (folder / "mail.eml").write_text(written + MAIL)
    assert run(folder, "run", "spam.sieve", "mail.eml", *options).output.startswith(does)
