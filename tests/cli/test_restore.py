"""`mailstack restore` as it is typed."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_of, mailbox_with, new_message

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
BOB = "accounts: {bob@example.com: {}}\n"
ROBERT = "accounts: {robert@example.com: {}}\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def apply(spec: Path, text: str, *options: str) -> None:
    spec.write_text(text)
    done = run("apply", "--yes", str(spec), *options)
    assert done.exit_code == 0, done.output


async def deliver(storage: Path, login: str) -> AccountId:
    store = await open_store(storage, clock=FakeClock(), bus=Silence())
    account_id = (await account_of(store, login)).account_id
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    await store.close()
    return account_id


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """bob, with two messages, is destroyed."""
    path = tmp_path / "mailstack.yaml"
    apply(path, SPEC + BOB)
    asyncio.run(deliver(tmp_path / "state", "bob@example.com"))
    apply(path, SPEC, "--allow-destroy", "bob@example.com")
    return path


def inbox_count(spec: Path, login: str) -> int:
    found = json.loads(run("account", "show", str(spec), login, "--format", "json").stdout)
    return int(found["messages"])


def test_the_trash_is_listed(spec: Path) -> None:
    (found,) = json.loads(run("restore", "list", str(spec), "--format", "json").stdout)
    assert (found["login"], found["messages"]) == ("bob@example.com", 2)
    assert found["kept_until"] > found["destroyed_at"]
    assert "bob@example.com" in run("restore", "list", str(spec)).stdout


def test_an_account_gets_its_mail_back(spec: Path) -> None:
    apply(spec, SPEC + BOB)
    assert inbox_count(spec, "bob@example.com") == 0
    done = run("restore", "account", str(spec), "bob@example.com")
    assert (done.exit_code, done.stdout) == (0, "restored 2 messages to bob@example.com\n")
    assert inbox_count(spec, "bob@example.com") == 2
    assert run("plan", str(spec)).exit_code == 0
    assert json.loads(run("restore", "list", str(spec), "--format", "json").stdout) == []


def test_under_another_name(spec: Path) -> None:
    apply(spec, SPEC + ROBERT)
    done = run("restore", "account", str(spec), "bob@example.com", "--to", "robert@example.com")
    assert done.exit_code == 0, done.output
    assert inbox_count(spec, "robert@example.com") == 2


def test_it_says_what_to_do_first(spec: Path) -> None:
    done = run("restore", "account", str(spec), "bob@example.com")
    assert done.exit_code == 1
    assert done.stderr == (
        "error: there is no account bob@example.com: put it into the spec again and apply it first\n"
    )


def test_what_the_trash_does_not_hold(spec: Path) -> None:
    done = run("restore", "account", str(spec), "carol@example.com")
    assert (done.exit_code, "the trash holds no mail of carol@example.com" in done.stderr) == (1, True)
    done = run("restore", "account", str(spec), "bob@example.com", "--id", "f" * 16)
    assert (done.exit_code, "with the id ffff" in done.stderr) == (1, True)


def test_before_the_first_apply(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert json.loads(run("restore", "list", str(path), "--format", "json").stdout) == []
    assert "nothing was applied yet" in run("restore", "account", str(path), "bob@example.com").stderr
    assert not (tmp_path / "state").exists()
