"""`mailstack spam` as it is typed."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app import spam_school
from mailstack.app.store_address import StoreAddress
from mailstack.cli.main import cli
from mailstack.cli.reconciling import store_to_write
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.services.spam.turn import LEASE, LEASE_MS
from tests.support.spam_mail import campaign_mail, ham_mail, stored
from tests.support.stores import account_of, mailbox_with

ALICE = "alice@example.com"
SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts: {alice@example.com: , bob@example.com: }
aliases: {sales@example.com: alice@example.com}
"""


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["spam", *arguments], input=stdin)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def applied(spec: Path) -> Path:
    assert CliRunner().invoke(cli, ["apply", "--yes", str(spec)]).exit_code == 0
    return spec


@pytest.fixture
def mail(tmp_path: Path) -> tuple[str, str]:
    """Two folders, of ham and of spam."""
    for kind, make in (("ham", ham_mail), ("spam", campaign_mail)):
        folder = tmp_path / kind
        folder.mkdir()
        for number in range(60):
            (folder / f"{number:03}.eml").write_bytes(make(number))
    return str(tmp_path / "ham"), str(tmp_path / "spam")


def trained(spec: Path, mail: tuple[str, str], *options: str) -> Result:
    found = run("train", str(spec), "--ham", mail[0], "--spam", mail[1], *options)
    assert found.exit_code == 0, found.output
    return found


def stats(spec: Path) -> dict[str, object]:
    found = run("stats", str(spec), "--format", "json")
    assert found.exit_code == 0, found.output
    facts: dict[str, object] = json.loads(found.stdout)
    return facts


def test_a_server_that_learned_nothing_says_how_to_teach_it(applied: Path) -> None:
    found = run("stats", str(applied))
    assert found.exit_code == 0
    assert "0 ham and 0 spam learned, believed by 0%" in found.stdout
    assert "mailstack spam train" in found.stdout
    assert stats(applied)["accounts"] == []


def test_train_tells_how_well_it_does_on_what_was_held_back(applied: Path, mail: tuple[str, str]) -> None:
    found = trained(applied, mail)
    assert "learned 60 ham and 60 spam" in found.stdout
    assert "spam found, 0 of " in found.stdout
    shared = stats(applied)["shared"]
    assert shared == {"ham": 60, "spam": 60, "believed": 0.75, "updates": 0}


def test_train_as_json(applied: Path, mail: tuple[str, str]) -> None:
    facts = json.loads(trained(applied, mail, "--format", "json").stdout)
    assert (facts["ham"], facts["spam"]) == (60, 60)
    assert facts["held_back"]["caught"] == facts["held_back"]["spam"]


def test_junk_inside_of_a_maildir_is_no_ham(applied: Path, mail: tuple[str, str], tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    for folder in ("cur", "new", ".Junk/cur", ".Junk/new"):
        (maildir / folder).mkdir(parents=True)
    for source, folder in zip(mail, ("cur", ".Junk/cur"), strict=True):
        for file in Path(source).iterdir():
            shutil.copy(file, maildir / folder)
    facts = json.loads(trained(applied, (str(maildir), str(maildir / ".Junk")), "--format", "json").stdout)
    assert (facts["ham"], facts["spam"]) == (60, 60)


def test_what_is_no_mail_is_told(applied: Path, mail: tuple[str, str]) -> None:
    for number in range(7):
        (Path(mail[0]) / f"picture{number}").write_bytes(b"\x89PNG")
    found = trained(applied, mail)
    assert "picture0: no mail" in found.stderr
    assert "skipped 2 more" in found.stderr


def test_an_account_is_trained_by_itself(applied: Path, mail: tuple[str, str]) -> None:
    trained(applied, mail, "--account", ALICE)
    facts = stats(applied)
    assert facts["accounts"] == [{"login": ALICE, "ham": 60, "spam": 60}]
    assert run("stats", str(applied)).stdout.count(ALICE) == 1
    forgotten = run("forget", str(applied), "--account", ALICE, "--yes")
    assert "the model of alice@example.com begins anew" in forgotten.stdout
    assert stats(applied)["accounts"] == []


def test_little_is_called_little(applied: Path, tmp_path: Path) -> None:
    for kind, raw in (("h.eml", ham_mail()), ("s.eml", campaign_mail(1))):
        (tmp_path / kind).write_bytes(raw)
    found = trained(applied, (str(tmp_path / "h.eml"), str(tmp_path / "s.eml")))
    assert "with fewer than 20 of either kind the model is not believed by half" in found.stdout


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--ham", "{ham}"], "--spam DIR: who sees one kind only cannot tell the two apart"),
        (["--spam", "{spam}"], "--ham DIR: who sees one kind"),
        ([], "--ham and --spam DIR"),
        (["--ham", "{ham}", "--spam", "{empty}"], "there is no mail in "),
        (["--ham", "{ham}", "--spam", "/nowhere"], "does not exist"),
        (["--ham", "{ham}", "--spam", "{spam}", "--spam", "{ham}/."], "is named as ham and as spam: which is it?"),
    ],
)
def test_what_cannot_be_learned(
    applied: Path, mail: tuple[str, str], tmp_path: Path, options: list[str], text: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"ham": mail[0], "spam": mail[1], "empty": str(tmp_path / "empty")}
    found = run("train", str(applied), *(option.format(**places) for option in options))
    assert found.exit_code == 2
    assert text in found.stderr
    assert stats(applied)["shared"] == {"ham": 0, "spam": 0, "believed": 0.0, "updates": 0}


@pytest.mark.parametrize(
    ("address", "text"),
    [("sales@example.com", "is an alias, not an account"), ("eve@example.com", "there is no account eve@example.com")],
)
def test_an_account_that_is_none(applied: Path, mail: tuple[str, str], address: str, text: str) -> None:
    found = run("train", str(applied), "--ham", mail[0], "--spam", mail[1], "--account", address)
    assert found.exit_code == 1
    assert text in found.stderr


@pytest.mark.parametrize("command", [["stats"], ["forget", "--yes"]])
def test_a_storage_that_is_not_made(spec: Path, command: list[str]) -> None:
    found = run(command[0], str(spec), *command[1:])
    assert found.exit_code == 1
    assert "nothing was applied yet" in found.stderr


def test_without_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, applied: Path) -> None:
    assert applied.parent == tmp_path
    monkeypatch.chdir(tmp_path)
    assert run("stats").exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = run("stats")
    assert (found.exit_code, found.stderr) == (2, "error: name the spec: there is no mailstack.yaml in this folder\n")


def test_forget_asks(applied: Path, mail: tuple[str, str]) -> None:
    trained(applied, mail)
    assert run("forget", str(applied), stdin="n\n").exit_code == 1
    assert stats(applied)["shared"] != {"ham": 0, "spam": 0, "believed": 0.0, "updates": 0}
    assert run("forget", str(applied), stdin="y\n").exit_code == 0
    assert stats(applied)["shared"] == {"ham": 0, "spam": 0, "believed": 0.0, "updates": 0}


def test_top_tokens_have_names_of_the_mail_that_is_given(applied: Path, mail: tuple[str, str]) -> None:
    trained(applied, mail)
    found = run("top-tokens", str(applied), *mail, "--most", "5", "--format", "json")
    facts = json.loads(found.stdout)
    assert len(facts["spam"]) == len(facts["ham"]) == 5
    assert all(token["points"] > 0 for token in facts["spam"])
    assert all(token["points"] < 0 for token in facts["ham"])
    assert "points in a mail" in run("top-tokens", str(applied), *mail).stdout


async def _deliver(folder: Path) -> None:
    async with store_to_write(StoreAddress(folder=folder)) as store:
        alice = (await account_of(store, ALICE)).account_id
        for role, raw in ((MailboxRole.INBOX, ham_mail()), (MailboxRole.JUNK, campaign_mail(1))):
            await store.messages.append(alice, await mailbox_with(store, alice, role), [stored(raw)])


def test_top_tokens_of_an_accounts_own_mail(applied: Path, mail: tuple[str, str]) -> None:
    trained(applied, mail, "--account", ALICE)
    asyncio.run(_deliver(applied.parent / "state"))
    facts = json.loads(run("top-tokens", str(applied), "--account", ALICE, "--format", "json").stdout)
    assert facts["spam"]
    assert facts["ham"]


def test_top_tokens_of_nothing(applied: Path) -> None:
    found = run("top-tokens", str(applied))
    assert found.exit_code == 2
    assert "the models know numbers only" in found.stderr


async def _held(folder: Path) -> None:
    async with store_to_write(StoreAddress(folder=folder)) as store:
        now = store.clock()
        assert await store.locks.acquire(LEASE, "the server", now=now, until=Instant(now + LEASE_MS))


def test_while_the_server_learns(applied: Path, mail: tuple[str, str]) -> None:
    asyncio.run(_held(applied.parent / "state"))
    found = run("train", str(applied), "--ham", mail[0], "--spam", mail[1])
    assert found.exit_code == 1
    assert spam_school.BUSY in found.stderr


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """One of ham, one of spam."""
    for name, raw in (("one.eml", ham_mail(7)), ("two.eml", campaign_mail(99))):
        (tmp_path / name).write_bytes(raw)
    return str(tmp_path / "one.eml"), str(tmp_path / "two.eml")


def scored(*arguments: str) -> list[dict[str, object]]:
    found = run("score", *arguments, "--format", "json")
    assert found.exit_code == 0, found.output
    facts: list[dict[str, object]] = json.loads(found.stdout)
    return facts


def test_score_without_a_spec_knows_no_words(files: tuple[str, str]) -> None:
    found = run("score", *files)
    assert found.exit_code == 0
    assert found.stdout.count("(junk from 5, refused from 15)") == 2
    assert found.stdout.count("no words were asked about: that needs --spec") == 2
    for facts in scored(*files):
        assert facts["result"] == "ham"
        assert facts["words"] == {"points": 0.0, "probability": 0.5}
        assert facts["tokens"] == []


def test_score_by_what_was_learned(applied: Path, mail: tuple[str, str], files: tuple[str, str]) -> None:
    trained(applied, mail)
    ham, spam = scored("--spec", str(applied), *files)
    assert (ham["result"], spam["result"]) == ("ham", "junk")
    assert [finding["rule"] for finding in spam["findings"] if finding["rule"] == "words"] == ["words"]  # type: ignore[attr-defined]  # JSON
    assert spam["tokens"]
    shown = run("score", "--spec", str(applied), files[1], "--tokens", "3").stdout
    assert "two.eml: " in shown
    assert " junk (junk from 5, refused from 15)" in shown
    assert "words: " in shown
    assert len(shown.partition("together with all others:\n")[2].splitlines()) == 3


def test_score_for_an_account(applied: Path, mail: tuple[str, str], files: tuple[str, str]) -> None:
    trained(applied, mail, "--account", ALICE)
    found = [scored("--spec", str(applied), "--account", whose, files[1]) for whose in (ALICE, "bob@example.com")]
    assert [one[0]["result"] for one in found] == ["junk", "ham"]


def test_score_by_a_spec_that_was_not_applied(spec: Path, files: tuple[str, str]) -> None:
    assert scored("--spec", str(spec), "--account", ALICE, files[0])[0]["result"] == "ham"


def test_score_from_standard_input() -> None:
    found = run("score", "-", stdin="Subject: x\n\ntext\n")
    assert found.exit_code == 0
    assert found.stdout.startswith("-: ")


def test_what_cannot_be_scored(tmp_path: Path, files: tuple[str, str]) -> None:
    for arguments, text in (
        ((str(tmp_path / "nowhere.eml"),), "cannot be read: No such file"),
        ((files[0], "--account", ALICE), "--account needs --spec"),
        ((files[0], "--state", str(tmp_path)), "--state needs --spec"),
    ):
        found = run("score", *arguments)
        assert found.exit_code == 2
        assert text in found.stderr
    off = tmp_path / "off.yaml"
    off.write_text(SPEC + "spam: off\n")
    found = run("score", files[0], "--spec", str(off))
    assert found.exit_code == 1
    assert "scored by nobody (spam: off)" in found.stderr
